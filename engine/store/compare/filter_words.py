"""Reading the filter language: words, ``field:value`` and comparisons, each with its place.

`engine.store.compare.filter_sql` knows the fields; docs/queries.md describes the language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import UsageError, cut

LONGEST = 2_000
"""Most characters of a filter; a longer text was pasted by mistake."""

MOST_TERMS = 60

_TERM = re.compile(
    r"(?P<minus>-?)"
    r"(?:(?P<field>[^\s\"<>=!:-][^\s\"<>=!:]*)(?P<op>:|\s*(?:!=|<=|>=|=|<|>)\s*))?"
    r"(?:\"(?P<quoted>[^\"]*)(?:\"|$)|(?P<value>[^\s\"]*))"
)
_OR = re.compile(r"OR(?=\s|$)")


class FilterError(UsageError):
    """A filter that can't be understood.

    Attributes:
        at: the character where the mistake is, counted from 1.
        problem: the message without that place.
    """

    def __init__(self, at: int, sentence: str) -> None:
        super().__init__(f"Filter, character {at}: {sentence}")
        self.at = at
        self.problem = sentence


@dataclass(frozen=True, slots=True)
class Term:
    """One requirement of a filter, such as ``lr>0.01`` or ``-state:failed``."""

    at: int
    """Its first character in the filter, counted from 1."""
    negated: bool
    """Whether a minus stands before it: the run must not match."""
    field: str
    """The field's name as typed; empty for a bare word, which is looked for in several fields."""
    op: str
    """``:``, ``=``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``."""
    value: str
    quoted: bool
    """Whether the value stands in quotes: it is taken literally, commas and stars too."""
    value_at: int
    """The value's first character in the filter, counted from 1."""

    @property
    def values(self) -> tuple[str, ...]:
        """The values between commas, of which one must match."""
        if self.quoted:
            return (self.value,)
        return tuple(part for part in self.value.split(",") if part)


Group = tuple[Term, ...]
"""Terms joined by ``OR``: a run need meet one of them."""


def read_filter(text: str) -> tuple[Group, ...]:
    """Split a filter into groups, all of which a run must meet.

    Raises:
        FilterError: an ``OR`` without neighbors, or a text that is too long.
    """
    if len(text) > LONGEST:
        raise FilterError(LONGEST, f"a filter has at most {LONGEST:,} characters.")
    groups: list[list[Term]] = []
    joins, at, terms = 0, 0, 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif found := _OR.match(text, at):
            if not groups or joins:
                raise _lonely(at)
            joins, at = at + 1, found.end()
        else:
            term, at = _term(text, at)
            terms += 1
            if terms > MOST_TERMS:
                raise FilterError(term.at, f"a filter has at most {MOST_TERMS} parts.")
            if joins:
                groups[-1].append(term)
            else:
                groups.append([term])
            joins = 0
    if joins:
        raise _lonely(joins - 1)
    return tuple(tuple(group) for group in groups)


def _lonely(at: int) -> FilterError:
    return FilterError(at + 1, "OR goes between two conditions, as in seed:1 OR seed:2.")


def _term(text: str, at: int) -> tuple[Term, int]:
    """Read the term that begins at index ``at``; return it and the index after it."""
    found = _TERM.match(text, at)
    assert found is not None  # it matches emptiness
    if found.end() == at or found["minus"] == text[at:].rstrip():
        raise FilterError(at + 1, f"{cut(text[at:], 20)!r} says nothing to look for.")
    quoted = found["quoted"] is not None
    if not found["field"] and not quoted and found["value"][0] in "<>=!:":
        raise FilterError(at + 1, f"{cut(found['value'], 20)!r} needs a field before it.")
    term = Term(
        at=at + 1,
        negated=bool(found["minus"]),
        field=found["field"] or "",
        op=(found["op"] or ":").strip(),
        value=found["quoted"] if quoted else found["value"],
        quoted=quoted,
        value_at=found.start("quoted" if quoted else "value") + 1,
    )
    return term, found.end()
