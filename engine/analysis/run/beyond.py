"""What a finished run has besides metrics at 10 of all its test targets, as small tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from engine.analysis.columns.definitions import RESULT_NAMES, Value, result_column
from engine.analysis.columns.text import figure
from engine.metrics import (
    CUTOFF_METRICS,
    CUTOFFS,
    LIST_MEASURES,
    LIST_RESULTS,
    RANKINGS,
    RESULT_OF,
    SCOPE_METRICS,
    SCOPES,
    Result,
)


@dataclass(frozen=True, slots=True)
class ResultTable:
    """Some results of one run, as texts."""

    title: str
    head: tuple[str, ...]
    """Of the columns after a row's label."""
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """Label and values of each row."""

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The label of each row and its values, padded; the head first, with the title, which
        reaches into what is blank before the head."""
        texts = [self.head, *(values for _, values in self.rows)]
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        reach = len(self.title) - (widths[0] - len(self.head[0]))
        labels = max(reach, *(len(label) for label, _ in self.rows))
        cells = [
            "".join(f"  {text:>{width}}" for text, width in zip(line, widths, strict=True))
            for line in texts
        ]
        names = [self.title, *(label for label, _ in self.rows)]
        lines = [f"{'':<{labels}}{line}" for line in cells]
        ends = [max(len(name), labels) for name in names]
        return [
            (f"{name:<{end}}", line[end:])
            for name, end, line in zip(names, ends, lines, strict=True)
        ]


def result_tables(figures: Mapping[str, Value]) -> list[ResultTable]:
    """Make the tables of a run that have a value: of each kind over all items, then with seen ones
    masked.

    Args:
        figures: by the names of `engine.analysis.run.details.FIGURES`.
    """
    at = tuple(f"@{k}" for k in CUTOFFS)
    parts = tuple(f"{RESULT_NAMES[metric]}@10" for metric in SCOPE_METRICS)
    kinds = (
        ("Other cut-offs", at, partial(_at_each, figures, CUTOFF_METRICS)),
        ("Parts of targets", parts, partial(_of_parts, figures)),
        ("Recommended", at, partial(_at_each, figures, LIST_MEASURES)),
    )
    tables = [
        ResultTable("seen masked" if masked else title, head, tuple(rows(masked)))
        for title, head, rows in kinds
        for masked in (False, True)
    ]
    return [table for table in tables if table.rows]


def completing(run: str, figures: Mapping[str, Value]) -> str:
    """Say which command gives a finished run of an earlier version what it lacks; empty for others.

    Args:
        figures: as in `result_tables`.
    """
    known = {name for name in RESULT_OF if figures.get(name) is not None}
    if not known or known & LIST_RESULTS.keys():
        return ""
    return f"More, without training: seqbench evaluate --own {run}"


_SCOPE_WORDS = {
    "warm": "warm",
    "head": "head (top 10 %)",
    "mid": "mid (next 40 %)",
    "tail": "tail (last 50 %)",
}


def _of_parts(
    figures: Mapping[str, Value],
    masked: bool,
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for scope in SCOPES:
        results = [Result(metric, masked=masked, scope=scope) for metric in SCOPE_METRICS]
        if any(figures.get(result.name) is not None for result in results):
            yield _SCOPE_WORDS[scope], tuple(_text(figures, result) for result in results)


def _at_each(
    figures: Mapping[str, Value],
    metrics: Sequence[str],
    masked: bool,
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for metric in metrics:
        results = [Result(metric, k, masked) for k in CUTOFFS]
        if any(figures.get(result.name) is not None for result in results):
            yield RESULT_NAMES[metric], tuple(_text(figures, result) for result in results)


def _text(figures: Mapping[str, Value], result: Result) -> str:
    name = result.name
    if result.k == 10 and not result.scope and result.metric in CUTOFF_METRICS:
        name = f"test_{result.metric}{RANKINGS[result.masked]}_best"
    return figure(figures.get(name), result_column(result).kind)
