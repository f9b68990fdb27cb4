"""A filter while it is typed: the part that is applied, and names that its last word may become."""

from __future__ import annotations

import re
from itertools import takewhile

from engine.store.compare.filter_sql import fields

_LAST_WORD = re.compile(r"(?:^|\s)-?(?P<word>[A-Za-z_][^\s\"<>=!:]*)(?P<gap>\s*)$")


def applied(text: str) -> str:
    """Return a filter without its last word if that begins a field's name, as ``nd`` does of
    ``ndcg>0.1``: taken for a word to look for, it would hide what is about to be asked for."""
    found = _last_word(text)
    if found is None or not _names(found["word"]):
        return text
    whole = found["word"].lower() in fields()
    return text if found["gap"] and not whole else text[: found.start()]


def completed(text: str) -> tuple[str, tuple[str, ...]]:
    """Complete the field's name that the last word begins, as far as only one is possible.

    Returns:
        The text, and the names that are possible; none where there is nothing to complete.
    """
    found = _last_word(text)
    if found is None or found["gap"]:
        return text, ()
    names = _names(found["word"])
    if not names:
        return text, ()
    # Of sorted names the first and the last differ soonest.
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(names[0], names[-1], strict=False))
    # A number's name is followed by a comparison of the user's choice.
    colon = ":" if len(names) == 1 and fields()[names[0]].kind not in ("number", "age") else ""
    return text[: found.start("word")] + "".join(letter for letter, _ in alike) + colon, names


def _last_word(text: str) -> re.Match[str] | None:
    """Find the last word, unless a field's value or an open quote comes last."""
    return None if text.count('"') % 2 else _LAST_WORD.search(text)


def _names(word: str) -> tuple[str, ...]:
    return tuple(sorted(name for name in fields() if name.startswith(word.lower())))
