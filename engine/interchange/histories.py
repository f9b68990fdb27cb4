"""The history of runs that another program trained, as read from its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_SECONDS = 1e11
"""Seconds since 1970, in the year 5138; a later time in a file is a mistake."""


@dataclass(frozen=True)
class EpochFigures:
    """One epoch of a run."""

    epoch: int
    """Its number, from 0 or 1 on as the other program counts."""
    t: float
    """When it ended, in seconds since 1970."""
    figures: Mapping[str, float]
    """By measure, such as ``test_ndcg``."""


@dataclass(frozen=True)
class History:
    """The history of one run."""

    source: str
    """The folder or file that it was read from, for messages."""
    named: Mapping[str, str]
    """The text that the source has for each of `RUN_FIELDS`; those that it doesn't name are
    absent."""
    epochs: Sequence[EpochFigures]
    """In the order of their numbers."""


@dataclass(frozen=True)
class Histories:
    """Everything that was read from one source."""

    histories: list[History]
    passed_over: list[str]
    """A sentence for each part of the source that is damaged or holds no known measure."""
