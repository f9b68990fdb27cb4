"""What the screen of data sets says about one, as text. No widget here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from tui.shell.text import PARAGRAPH, TITLE, count, plain, wrap

if TYPE_CHECKING:
    from engine.datasets.filters import FilterStep
    from engine.datasets.statistics import Histogram, SplitCounts, Statistics
    from engine.spec import Dataset

MUTED = "$text-muted"
LABEL = 14
"""Terminal cells of the names at the left."""

BARS = "▁▂▃▄▅▆▇█"
BAR = 2
"""Terminal cells of a histogram's bar."""


@dataclass(frozen=True)
class Place:
    """Where a data set is, or what it takes to get it."""

    mark: str
    style: str
    words: str
    ready: bool


@dataclass(frozen=True)
class Look:
    """What a look into a data set found."""

    statistics: Statistics
    steps: tuple[FilterStep, ...]
    split: SplitCounts
    remarks: tuple[str, ...] = ()


def described(
    dataset: Dataset, place: Place | None, look: Look | None, state: str, width: int
) -> Content:
    """Everything about a data set. ``state`` says why there is no look yet."""
    lines = [Content.styled(plain(dataset.title, TITLE), "bold")]
    if place is not None:
        lines += _line("where", place.words, width)
    figures = look.statistics if look else None
    users, items, total = (
        (figures.users, figures.items, figures.interactions)
        if figures
        else (dataset.users, dataset.items, dataset.interactions)
    )
    lines += _line("holds", f"{users:,} users, {items:,} items, {total:,} interactions", width)
    density = figures.density if figures else total / (users * items)
    lines += _line("density", f"{100 * density:.3g} %", width)
    if figures is not None and look is not None:
        longer = ", ".join(f"{100 * share:.0f} % over {n}" for n, share in figures.longer)
        lengths = f"median {figures.median_length:g}, longest {figures.longest:,}; {longer}"
        lines += _line("lengths", lengths, width)
        lines += _histogram("  users", figures.lengths)
        top = f"the top 1 % of items has {100 * figures.top_share:.0f} % of the interactions"
        lines += _line("popularity", top, width)
        lines += _histogram("  items", figures.popularity)
        lines += _rules(dataset, look, width)
    elif state:
        lines += _line("figures", state, width)
    if dataset.license:
        lines += _line("licence", dataset.license, width)
    if dataset.note:
        lines += _line("note", dataset.note, width)
    for remark in look.remarks if look else ():
        lines += _line("mind", remark, width)
    return Content("\n").join(lines)


def _rules(dataset: Dataset, look: Look, width: int) -> Iterator[Content]:
    split = look.split
    said = (
        f"{dataset.split.kind}: {split.train:,} to train on, {split.valid:,} users in validation, "
        f"{split.test:,} in test"
    )
    if split.trained_only:
        said += f", {split.trained_only:,} only trained on"
    if split.unused:
        said += f"; {split.unused:,} interactions unused"
    yield from _line("split", said, width)
    for step in look.steps[1:]:
        left = (
            f"{count(step.interactions, 'interaction')}, {step.users:,} users, {step.items:,} items"
        )
        yield from _line("filter", f"{step.name}: {left}", width)


def _histogram(name: str, histogram: Histogram) -> list[Content]:
    """Bars, the tallest for the greatest count, and below them from how many interactions to how
    many they span."""
    most = max(histogram.counts, default=0)
    bars = "".join(_bar(each, most) * BAR for each in histogram.counts)
    low, high = f"{histogram.bounds[0]:,}", f"{histogram.bounds[-1] - 1:,}"
    between = max(1, cell_len(bars) - len(low) - len(high))
    return [
        Content.assemble((name.ljust(LABEL), MUTED), (bars, "$accent")),
        Content.styled(f"{'':<{LABEL}}{low}{' ' * between}{high}", MUTED),
    ]


def _bar(value: int, most: int) -> str:
    if not value or not most:
        return " "
    return BARS[min(len(BARS) - 1, value * len(BARS) // (most + 1))]


def _line(name: str, text: str, width: int) -> list[Content]:
    lines: Sequence[str] = wrap(plain(text, PARAGRAPH), max(20, width - LABEL)) or [""]
    return [
        Content.assemble((("" if number else name).ljust(LABEL), MUTED), (line, ""))
        for number, line in enumerate(lines)
    ]
