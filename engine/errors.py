"""Errors whose message is one sentence for the user: what is wrong and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN = 60
"""Characters of a wrong value that a sentence repeats."""


class UserError(Exception):
    """Something the user can put right. The command line prints the message and exits with 1."""


class UsageError(UserError):
    """A wrong flag, name or value on the command line. Exits with 2."""


class ConfigError(UsageError):
    """A configuration file or override that can't be used; names the file, line and key."""


class DataError(UserError):
    """A data set that is missing, damaged or can't be fetched."""


class StoreError(UserError):
    """A store that can't be read or written."""


class RunError(StoreError):
    """What a store says of one run makes no sense. The other runs go on."""


class TrainingError(UserError):
    """A run that can't go on.

    Attributes:
        cause: one word for the class of failure, such as ``diverged`` or ``out-of-memory``.
    """

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


def shown(value: object) -> str:
    """A value as its author wrote it, in quotes where it is text, cut where it is long."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    return cut(repr(value), SHOWN)


def cut(text: str, characters: int) -> str:
    """At most so many characters of it."""
    return text if len(text) <= characters else f"{text[: characters - 4]} ..."


def nearest(wrong: str, names: Iterable[str]) -> str | None:
    """The name that was most likely meant, in any case: a misspelt one, or the shortest that
    holds what was written."""
    lowered = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wrong.lower(), lowered, n=1, cutoff=0.6)
    if not near and len(wrong) > 2:
        near = sorted((name for name in lowered if wrong.lower() in name), key=len)
    return lowered[near[0]] if near else None


def did_you_mean(wrong: str, names: Iterable[str]) -> str:
    """Return the tail of an error sentence: the nearest valid name, or all of them."""
    known = sorted(set(names))
    if near := nearest(wrong, known):
        return f"did you mean {near!r}?"
    return f"choose from {', '.join(known)}." if known else "there is none."
