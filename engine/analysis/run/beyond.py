"""What a finished run has besides metrics at 10 of all its test targets, as small tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.analysis.columns.definitions import RESULT_NAMES, SEEN_MASKED, Value, result_column
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
        """The label of each row and its values, padded; the head first, with the title."""
        labels = max(len(label) for label, _ in (*self.rows, (self.title, ())))
        texts = [self.head, *(values for _, values in self.rows)]
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        cells = [
            "".join(f"  {text:>{width}}" for text, width in zip(line, widths, strict=True))
            for line in texts
        ]
        names = [self.title, *(label for label, _ in self.rows)]
        return [(f"{name:<{labels}}", line) for name, line in zip(names, cells, strict=True)]


def result_tables(figures: Mapping[str, Value]) -> list[ResultTable]:
    """Make the tables of a run that have a value.

    Args:
        figures: by the names of `engine.analysis.run.details.FIGURES`.
    """
    at = tuple(f"@{k}" for k in CUTOFFS)
    tables = (
        ResultTable("Other cut-offs", at, tuple(_at_each(figures, CUTOFF_METRICS))),
        ResultTable("Parts of targets", _PARTS_HEAD, tuple(_of_parts(figures))),
        ResultTable("What is recommended", at, tuple(_at_each(figures, LIST_MEASURES))),
    )
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


_PARTS = tuple((metric, masked) for masked in (False, True) for metric in SCOPE_METRICS)
_SCOPE_WORDS = {
    "warm": "warm",
    "head": "head (top 10 %)",
    "mid": "mid (next 40 %)",
    "tail": "tail (last 50 %)",
}
_PARTS_HEAD = tuple(
    f"{RESULT_NAMES[metric]}@10{', masked' if masked else ''}" for metric, masked in _PARTS
)


def _of_parts(figures: Mapping[str, Value]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for scope in SCOPES:
        results = [Result(metric, masked=masked, scope=scope) for metric, masked in _PARTS]
        if any(figures.get(result.name) is not None for result in results):
            yield _SCOPE_WORDS[scope], tuple(_text(figures, result) for result in results)


def _at_each(
    figures: Mapping[str, Value], metrics: Sequence[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for masked in (False, True):
        for metric in metrics:
            results = [Result(metric, k, masked) for k in CUTOFFS]
            if any(figures.get(result.name) is not None for result in results):
                label = RESULT_NAMES[metric] + (SEEN_MASKED if masked else "")
                yield label, tuple(_text(figures, result) for result in results)


def _text(figures: Mapping[str, Value], result: Result) -> str:
    name = result.name
    if result.k == 10 and not result.scope and result.metric in CUTOFF_METRICS:
        name = f"test_{result.metric}{RANKINGS[result.masked]}_best"
    return figure(figures.get(name), result_column(result).kind)
