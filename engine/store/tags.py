"""Tags of a run: short words that people group runs by, kept as a JSON list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from engine.errors import UsageError, cut

MOST = 20
LONGEST = 40
"""Characters."""

_TAG = re.compile(r"[^\W_][\w.:/+-]*")


def parse_tags(text: object) -> tuple[str, ...]:
    """Read the tags of a run's row; empty if they can't be read."""
    try:
        content = json.loads(text) if isinstance(text, str) else []
    except (ValueError, RecursionError):
        return ()
    return tuple(str(tag) for tag in content) if isinstance(content, list) else ()


def is_annotated(note: object, tags: object) -> bool:
    """Return whether people gave a run a note or tags, by what its row holds of both."""
    return bool(note) or bool(parse_tags(tags))


def tags_text(tags: Iterable[str]) -> str:
    """Write tags as a run's row holds them."""
    return json.dumps(list(tags), ensure_ascii=False)


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Check tags, and return each once, in order.

    Raises:
        UsageError: one that isn't a word, so that a filter could not name it; or too many.
    """
    found = tuple(dict.fromkeys(tags))
    for tag in found:
        if len(tag) > LONGEST or not _TAG.fullmatch(tag):
            raise UsageError(
                f"{cut(repr(tag), 50)} can't be a tag: letters, digits and . : / + - _, beginning"
                f" with a letter or digit, {LONGEST} characters at most."
            )
    if len(found) > MOST:
        raise UsageError(f"A run has at most {MOST} tags.")
    return found
