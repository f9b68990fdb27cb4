"""In what a published result's setup differs from a cell's, in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from engine.analysis.literature.figures import (
    BOTH,
    PublishedFigure,
    Setup,
    digits_text,
    figures_of,
)
from engine.spread import Spread

if TYPE_CHECKING:
    from engine.analysis.reference import ReferenceOfCell
    from engine.config import PublishedTable

_SPLITS = {
    "leave-one-out": "leave-one-out",
    "temporal": "split in time",
    "given": "a given split",
}
_TARGETS = {
    "last": "each user's last item",
    "first": "the first item of the period",
    "random": "a random item of the period",
    "successive": "every item of the period in turn",
    "all": "all items of the period in one list",
}
_TIES = {
    "file": "ties in the file's order",
    "item": "ties by item number",
    "unstable": "ties as an unstable sort left them",
}
_SEEN = {
    "ranked": "seen items ranked",
    "masked": "seen items masked",
    "input-masked": "only seen items of the input masked",
    BOTH: "seen items ranked, or all masked",
}
_LOSSES = {
    "full": "softmax over all items",
    "sampled": "sampled softmax",
    "bce": "binary cross-entropy",
    "gbce": "gBCE",
    "bpr": "BPR",
}
_WORDS: Mapping[str, Callable[[Any], str]] = {
    "users": lambda value: f"{value:,} users",
    "items": lambda value: f"{value:,} items",
    "interactions": lambda value: f"{value:,} interactions",
    "split": lambda value: _SPLITS.get(value, value),
    "quantile": lambda value: f"split at {100 * value:g} %",
    "targets": lambda value: _TARGETS.get(value, value),
    "ties": lambda value: _TIES.get(value, value),
    "candidates": lambda value: "among all items" if value == "all" else _drawn(value),
    "seen": lambda value: _SEEN.get(value, value),
    "length": lambda value: f"L = {value}",
    "loss": lambda value: _LOSSES.get(value, value),
    "negatives": lambda value: f"{value:,} negative{'s' if value != 1 else ''}",
    "calibration": lambda value: f"t = {value:g}",
    "refit": lambda value: f"trained {'with' if value else 'without'} validation",
}
"""By field of `Setup`, in its order: a value in words."""

NAMES = {
    "users": "users",
    "items": "items",
    "interactions": "interactions",
    "split": "split",
    "quantile": "time of the split",
    "targets": "targets",
    "ties": "order of ties",
    "candidates": "candidates",
    "seen": "seen items",
    "length": "L",
    "loss": "loss",
    "negatives": "negatives",
    "calibration": "gBCE's t",
    "refit": "training with validation",
}
"""What the fields of `Setup` are called."""

_ONLY_WHERE = {
    "quantile": ("split", ("temporal",)),
    "targets": ("split", ("temporal", "given")),
    "negatives": ("loss", ("sampled", "bce", "gbce", "bpr")),
    "calibration": ("loss", ("gbce",)),
}
"""Fields that mean something only where both sides have one of these values in another."""

_FIRST = ("length", "seen")
"""Fields that a sentence begins with."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which two setups differ, with both values in words."""

    field: str
    published: str
    ours: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A published result, against a cell's setup."""

    figure: PublishedFigure
    differences: tuple[Difference, ...]
    unknown: tuple[str, ...]
    """Fields of `Setup` of which one side isn't known."""

    @property
    def comparable(self) -> bool:
        """Whether all that is known agrees."""
        return not self.differences

    @property
    def distance(self) -> tuple[bool, int]:
        """How far it is from being comparable, for ordering."""
        return not self.comparable, len(self.differences) + len(self.unknown)

    @property
    def unknown_words(self) -> tuple[str, ...]:
        """What isn't known, in words."""
        return tuple(NAMES[name] for name in self.unknown)

    @property
    def verdict(self) -> str:
        """Say whether it is comparable, or in what it differs."""
        if self.comparable and self.unknown:
            missing = ", ".join(self.unknown_words)
            return f"comparable as far as it is known (not known: {missing})"
        if self.comparable:
            return "comparable"
        theirs = _listed(each.published for each in self.differences)
        ours = _listed(each.ours for each in self.differences)
        return f"{theirs}; yours {ours}"

    def difference(self, ours: Spread | None) -> float | None:
        """Return ours minus the published value; None if they aren't comparable."""
        return ours.mean - float(self.figure.value) if ours and self.comparable else None

    @property
    def sentence(self) -> str:
        """Say the published value, and whether it is comparable or in what it differs."""
        return f"published {digits_text(self.figure.value)}: {self.verdict}"


def compared(figure: PublishedFigure, ours: Setup) -> Compared:
    """Set a published result's setup against a cell's."""
    theirs, differences, unknown = figure.setup, [], []
    for name in _in_order():
        published, own = getattr(theirs, name), getattr(ours, name)
        if not _applies(name, theirs, ours):
            continue
        if published is None or own is None:
            unknown.append(name)
        elif not _agree(name, published, own):
            words = _WORDS[name]
            nearest = "masked" if own == BOTH else own
            differences.append(Difference(name, words(published), words(nearest)))
    return Compared(figure, tuple(differences), tuple(unknown))


def agree(theirs: Setup, ours: Setup) -> bool:
    """Whether ours is known, and the same, in all that is known of theirs."""
    return all(
        getattr(ours, name) is not None and _agree(name, published, getattr(ours, name))
        for name in _in_order()
        if (published := getattr(theirs, name)) is not None and _applies(name, theirs, ours)
    )


def about(
    figures: Iterable[PublishedFigure], model: str, dataset: str, ours: Setup
) -> list[Compared]:
    """Compare the figures of a model on a data set, the most comparable first.

    A data set is the same by its name, or if users, items and interactions are equally many.
    """
    found = [
        compared(figure, ours)
        for figure in figures
        if figure.model == model and (figure.dataset == dataset or _same_data(figure.setup, ours))
    ]
    return sorted(found, key=lambda each: each.distance)


def elsewhere(
    tables: Iterable[PublishedTable],
    model: str,
    dataset: str,
    ours: Setup,
    shown: Iterable[ReferenceOfCell] = (),
) -> list[Compared]:
    """Compare the published NDCG@10 of a model on a data set, the most comparable first.

    Args:
        shown: what is shown beside the cell already.
    """
    names = {each.table for each in shown}
    figures = [each for each in figures_of(tables) if each.name == "NDCG@10"]
    return [each for each in about(figures, model, dataset, ours) if not said(each, names)]


def said(each: Compared, shown: Collection[str]) -> bool:
    """Whether it is among the figures shown beside a cell, or of the same table but less like it.

    Args:
        shown: the names of the tables whose figures are shown.
    """
    known = each.figure.setup.length is not None
    return each.figure.table in shown and (known or not each.comparable)


def setup_words(setup: Setup) -> str:
    """Write a setup in one line; what isn't known is left out, and that it isn't a refit."""
    names = [each.name for each in fields(Setup)]
    known = ((name, getattr(setup, name)) for name in names)
    return ", ".join(_WORDS[name](value) for name, value in known if value not in (None, False))


def _in_order() -> Sequence[str]:
    names = [each.name for each in fields(Setup)]
    return [*_FIRST, *(name for name in names if name not in _FIRST)]


def _applies(name: str, theirs: Setup, ours: Setup) -> bool:
    if name not in _ONLY_WHERE:
        return True
    other, values = _ONLY_WHERE[name]
    both = {getattr(theirs, other), getattr(ours, other)}
    return len(both - {None}) == 1 and both <= {*values, None}


def _agree(name: str, published: Any, own: Any) -> bool:
    if name == "seen" and own == BOTH:
        return published in ("ranked", "masked")
    return bool(published == own)


def _same_data(theirs: Setup, ours: Setup) -> bool:
    counts = (theirs.users, theirs.items, theirs.interactions)
    return None not in counts and counts == (ours.users, ours.items, ours.interactions)


def _drawn(candidates: str) -> str:
    how = "uniformly" if candidates.endswith("uniform") else "by popularity"
    return f"among {candidates.partition(' ')[0]} items drawn {how}"


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
