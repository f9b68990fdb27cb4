"""Remarks on runs whose values need caution: marked ones, and those with several attempts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from engine.analysis.comparison import Row
from engine.analysis.export import listed
from engine.analysis.labels.words import length_title
from engine.analysis.refits import is_refit
from engine.marks import MEANING, OF_METRICS, STILL_IMPROVING, UNDISTURBED_SHARE, of_times
from engine.report.blocks import Block, Cell, Commands, Paragraph, table

SEVERAL = "several attempts"
_MEANING = {
    **MEANING,
    SEVERAL: "an attempt resumed from the checkpoint of an earlier one: seconds count no epoch "
    "twice",
}
SIGN = " !"
"""Suffix of the name of a row that holds a run with a remark."""


def remarks(run: Row) -> tuple[str, ...]:
    """Return the remarks on a run: its marks, and `SEVERAL` if it took several attempts."""
    found = [mark for mark in MEANING if mark in str(run["marks"] or "").split()]
    attempts = run["attempts"]
    if isinstance(attempts, int) and attempts > 1:
        found.append(SEVERAL)
    return tuple(found)


def signed_label(label: str, runs: Iterable[Row]) -> str:
    """Return the label, followed by `SIGN` if there is a remark on one of the runs."""
    return label + (SIGN if any(map(remarks, runs)) else "")


def note_below(runs: Iterable[Row]) -> Iterator[Paragraph]:
    """Explain `SIGN` below a table of these runs, if one of them has a remark."""
    found = Counter(remark for run in runs for remark in remarks(run))
    if found:
        told = listed(f"{remark} ({number} of the runs)" for remark, number in found.items())
        yield Paragraph(f"!: {told}; see Testing scope for what this means.", quiet=True)


def remarks_table(
    runs: Sequence[Row], watched: Collection[str], further: Sequence[str]
) -> Iterator[Block]:
    """List every remark with its runs, and count the runs without remark or without data.

    Args:
        watched: ids of the runs of which it was told what disturbed them, if anything.
        further: commands that train on what is still improving.
    """
    by_remark: dict[str, list[Row]] = {}
    for run in runs:
        for remark in remarks(run):
            by_remark.setdefault(remark, []).append(run)
    if by_remark:
        rows: list[list[str | Cell]] = [
            [remark, str(len(by_remark[remark])), Cell(tuple(_cells(by_remark[remark]))), meaning]
            for remark, meaning in _MEANING.items()
            if remark in by_remark
        ]
        yield table(
            ["remark", "runs", "of", "means"], rows, figures=(1,), caption="Remarks on single runs"
        )
        held = (
            "" if OF_METRICS & by_remark.keys() else " Metrics don't depend on time, and are valid."
        )
        yield Paragraph(f"A row with such a run has a ! after its name.{held}", quiet=True)
    if further:
        yield Paragraph(
            f"Runs that are {STILL_IMPROVING} can be trained further; a later report will include "
            "that:"
        )
        yield Commands(tuple(further))
    quiet = sum(run["run"] in watched and not of_times(run["marks"]) for run in runs)
    unknown = sum(run["run"] not in watched for run in runs)
    if quiet:
        yield Paragraph(
            f"Of the {len(runs)} runs {quiet} trained undisturbed, as far as is known: on a GPU, "
            "its driver reported no other process and no clock that was held down; on a CPU, they "
            f"got {100 * UNDISTURBED_SHARE:.0f} % or more of the CPU time they asked for.",
            quiet=True,
        )
    if unknown:
        yield Paragraph(
            f"For {unknown} of the {len(runs)} runs it isn't known whether they were disturbed: an "
            "earlier version trained them, or the GPU's driver or the kernel doesn't say.",
            quiet=True,
        )


def _cells(runs: Iterable[Row]) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for run in runs:
        refit = " refit" if is_refit(run) else ""
        cell = f"{length_title(str(run['model']), str(run['length']))}{refit} on {run['dataset']}"
        places.setdefault(cell, []).append(str(run["seed"]))
    for cell, every in places.items():
        seeds = list(dict.fromkeys(every))  # cells of other settings have the same
        yield f"{cell}, {'seed' if len(seeds) == 1 else 'seeds'} {listed(seeds)}"
