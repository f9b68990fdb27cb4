"""What the screen of data sets says about a data set, as text. No widget here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from tui.shell.text import PARAGRAPH, TITLE, count, plain, wrap

if TYPE_CHECKING:
    from engine.datasets.filters import FilterStep
    from engine.datasets.splitting.statistics import Histogram, SplitCounts, Statistics
    from engine.spec import Dataset

MUTED = "$text-muted"
LABEL = 14
"""Terminal cells of the field names at the left."""

BARS = "▁▂▃▄▅▆▇█"
BAR = 2
"""Terminal cells of a histogram's bar, where there is room."""

LEAST = 16
"""Terminal cells that a text has beside its name."""


@dataclass(frozen=True)
class Availability:
    """Where a data set is, or what it takes to get it, with a mark and the mark's style."""

    mark: str
    style: str
    words: str
    ready: bool


@dataclass(frozen=True)
class Profile:
    """The statistics of a data set that is on this machine."""

    statistics: Statistics
    steps: tuple[FilterStep, ...]
    split: SplitCounts
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """Whether a data set can tell models apart."""

    facts: tuple[tuple[str, str], ...]
    """Names and texts; none before it is judged."""
    takes: str
    """About how long judging takes, in words."""

    def lines(self, key: str, progress: str, width: int) -> Iterator[Content]:
        """Yield what is known, or how to find out.

        Args:
            key: the one that judges.
            progress: how far judging has come, or why it failed; empty before it begins.
        """
        if self.facts:
            for name, text in self.facts:
                yield from _field(name, text, width)
        else:
            offer = f"{key} judges whether it can tell models apart, which takes {self.takes}"
            yield from _field("judgement", progress or offer, width)


def described(
    dataset: Dataset,
    found: Availability | None,
    profile: Profile | None,
    reason: str,
    width: int,
    judged: Sequence[Content] = (),
) -> Content:
    """Describe a data set in ``width`` cells.

    Args:
        reason: why there is no profile yet.
        judged: of `Judged.lines`.
    """
    lines = [Content.styled(plain(dataset.title, TITLE), "bold")]
    if found is not None:
        lines += _field("source", found.words, width)
    held = profile.statistics if profile else dataset
    lines += _field("size", held.holds, width)
    possible = held.users * held.items
    density = held.interactions / possible if possible else 0.0
    lines += _field("density", f"{100 * density:.3g} %", width)
    if profile is not None:
        figures = profile.statistics
        longer = ", ".join(f"{100 * share:.0f} % over {n}" for n, share in figures.longer)
        lengths = f"median {figures.median_length:g}, longest {figures.longest:,}; {longer}"
        lines += _field("lengths", lengths, width)
        lines += _histogram("  users", figures.lengths, width)
        top = f"the top 1 % of items has {100 * figures.top_share:.0f} % of the interactions"
        lines += _field("popularity", top, width)
        lines += _histogram("  items", figures.popularity, width)
        lines += _rules(dataset, profile, width)
        lines += judged
    elif reason:
        lines += _field("statistics", reason, width)
    if dataset.license:
        lines += _field("licence", dataset.license, width)
    if dataset.doubt:
        lines += _field("unconfirmed", dataset.doubt, width)
    if dataset.note:
        lines += _field("note", dataset.note, width)
    for remark in profile.remarks if profile else ():
        lines += _field("caution", remark, width)
    return Content("\n").join(lines)


def _rules(dataset: Dataset, profile: Profile, width: int) -> Iterator[Content]:
    """Describe how a data set is split and filtered."""
    split = profile.split
    if profile.statistics.span:
        yield from _field("times", profile.statistics.span, width)
    said = (
        f"{dataset.split.kind}: {split.train:,} to train on, {split.evaluated}"
        f"{f', {split.trained_only:,} only in training' if split.trained_only else ''}"
    )
    if split.unused:
        said += f"; {split.unused:,} interactions unused"
    for remark in filter(None, (dataset.split.ranked, *split.remarks)):
        said += f"; {remark}"
    if split.valid_from:
        said += f"; validation from {split.valid_from}, test from {split.test_from}"
    yield from _field("split", said, width)
    for step in profile.steps[1:]:
        left = (
            f"{count(step.interactions, 'interaction')}, {step.users:,} users, {step.items:,} items"
        )
        yield from _field("filter", f"{step.name}: {left}", width)


def _histogram(name: str, histogram: Histogram, width: int) -> list[Content]:
    """Draw bars, the tallest for the greatest count, and below them the least and the greatest
    number of interactions that they span."""
    most = max(histogram.counts, default=0)
    cells = BAR if LABEL + BAR * len(histogram.counts) <= width else 1
    bars = "".join(_bar(each, most) * cells for each in histogram.counts)
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


def _field(name: str, text: str, width: int) -> list[Content]:
    """Write a text beside its name, or below it where the text would have too little room."""
    text = plain(text, PARAGRAPH)
    if width - LABEL < LEAST:
        below = [Content(f"  {line}") for line in wrap(text, max(1, width - 2))]
        return [Content.styled(name, MUTED), *below]
    lines: Sequence[str] = wrap(text, width - LABEL) or [""]
    return [
        Content.assemble((("" if number else name).ljust(LABEL), MUTED), (line, ""))
        for number, line in enumerate(lines)
    ]
