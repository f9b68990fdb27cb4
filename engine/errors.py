"""Errors whose message is a sentence for the user, what is wrong and what to do; and its parts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN = 60
"""Most characters of a wrong value that a sentence quotes."""


class UserError(Exception):
    """An error that the user can correct. The command line prints it and exits with 1."""


class UsageError(UserError):
    """A wrong option, name or value on the command line, which exits with 2."""


class ConfigError(UsageError):
    """A configuration file or override that can't be used; names the file, line and key."""


class DataError(UserError):
    """A data set that is missing, damaged or can't be fetched."""


class StoreError(UserError):
    """A store that can't be read or written."""


class RunError(StoreError):
    """A run whose rows in the store are invalid. Other runs are unaffected."""


class TrainingError(UserError):
    """A failure that ends a run.

    Attributes:
        cause: one word for the class of failure, such as ``diverged`` or ``out-of-memory``.
    """

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


def shown(value: object) -> str:
    """Return a value as it stands in YAML, text in quotes, cut to `SHOWN` characters."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    return cut(repr(value), SHOWN)


def cut(text: str, characters: int) -> str:
    """Shorten a text to at most this many characters."""
    return text if len(text) <= characters else f"{text[: characters - 4]} ..."


def nearest(wrong: str, names: Iterable[str]) -> str | None:
    """Return the name most likely meant, ignoring case: the most similar one, or the shortest that
    contains ``wrong``."""
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
