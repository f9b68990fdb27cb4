"""What is known of a run, in a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.cells import cell_len

from engine.lifecycle import allows
from engine.marks import STILL_IMPROVING
from tui.lab import Lab
from tui.live.reading import JobFacts, Run
from tui.shell.states import glyph, style_variable
from tui.shell.text import (
    ABSENT,
    PARAGRAPH,
    TITLE,
    count,
    duration,
    number,
    plain,
    shorten,
    whole,
    wrap,
)
from tui.widgets.lines import Line, Lines, fit

MESSAGE_LINES = 5
_LABEL_WIDTH = 11

_NEXT_STEP = {
    "failed": "press t to retry, ⏎ for details",
    "cancelled": "press t to go on from the last checkpoint",
    "lost": "its process vanished: press t to retry",
    "queued": "waits for its turn: press x to cancel",
}
"""What to press, by state."""
_IMPROVING = "still improving at its limit: press m to train it on"


@dataclass(frozen=True)
class Facts:
    """A run, the start of its newest attempt, and its epochs."""

    run: Run
    start: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the journal's newest ``start``."""
    epochs: Sequence[Mapping[str, Any]] = ()
    medians: Mapping[str, float | None] = field(default_factory=dict)
    """Times of an epoch, by the store's columns."""
    job: JobFacts | None = None
    """Its job on a cluster, while it may run there."""
    node: Mapping[str, Any] = field(default_factory=dict)
    """The newest telemetry of the cluster's node."""


class RunFacts(Lines):
    """Shows `Facts`; why a run failed comes first."""

    app: Lab
    _facts: Facts | None = None

    def show(self, facts: Facts | None) -> None:
        """Show these facts instead; ``None`` shows nothing."""
        self._facts = facts
        self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        facts = self._facts
        if facts is None:
            return []
        improving = STILL_IMPROVING in (facts.run.marks or "").split()
        words = _IMPROVING if improving else _NEXT_STEP.get(facts.run.state, "")
        next_step = self.app.key_written(words)
        lines = _state(facts.run, next_step, width) + _job(facts, width)
        rest = height - len(lines)
        table = _metrics(facts, width)
        rows = _rows(facts)
        for label in _LEAST_IMPORTANT:
            if len(rows) + len(table) > rest:
                rows = [row for row in rows if row[0] != label]
        pairs: list[Line] = [
            [(label.ljust(_LABEL_WIDTH), "$text-muted"), (_joined(parts, width - _LABEL_WIDTH), "")]
            for label, parts in rows
        ]
        return lines + pairs + table


_LEAST_IMPORTANT = ("torch", "attempt", "step", "per epoch")
"""Labels left out, in this order, where there is no room for all."""


def _state(run: Run, next_step: str, width: int) -> list[Line]:
    """Write the state in its colour; for a run that ended badly why, and what to do."""
    style = style_variable(run.state)
    cause = plain(run.cause, TITLE) if run.cause and run.state != "running" else ""
    headline = f"{glyph(run.state)} {plain(run.state)}" + (f" · {cause}" if cause else "")
    lines: list[Line] = [[(shorten(headline, width), f"bold {style}")]]
    if allows(run.state, "retry") and run.message:
        wrapped = wrap(plain(run.message, PARAGRAPH), max(width, 10))
        if len(wrapped) > MESSAGE_LINES:
            wrapped[MESSAGE_LINES - 1 :] = [shorten(wrapped[MESSAGE_LINES - 1] + " …", width)]
        lines += [[(text, "")] for text in wrapped]
    return lines + [[(text, "$accent")] for text in wrap(next_step, max(width, 10))]


def _job(facts: Facts, width: int) -> list[Line]:
    """Lines of where on a cluster it is or why it waits, and what its node does."""
    if facts.job is None or facts.run.state != "running":
        return []
    tone = "$warning" if facts.job.job_stale is not None else "$accent"
    lines: list[Line] = [
        [(text, tone)] for text in wrap(plain(facts.job.text, PARAGRAPH), max(width, 10))
    ]
    if parts := list(filter(None, _of_node(facts.node))):
        lines.append([("node".ljust(_LABEL_WIDTH), "$text-muted"),
                      (_joined(parts, width - _LABEL_WIDTH), "")])  # fmt: skip
    return lines


def _of_node(node: Mapping[str, Any]) -> list[str]:
    """Figures of a node's driver and host, the most important first; empty where unknown."""

    def figure(name: str, form: str, factor: float = 1.0) -> str:
        value = node.get(name)
        return "" if value is None else form.format(value * factor)

    return [
        figure("gpu_utilization", "GPU {:.0f} %"),
        figure("gpu_memory_mib", "{:.1f} GiB", 1 / 1024),
        figure("gpu_temperature_c", "{:.0f} °C"),
        figure("cpu_percent", "CPU {:.0f} %"),
        figure("process_memory_mib", "{:,.0f} MiB its own"),
    ]


def _rows(facts: Facts) -> list[tuple[str, list[str]]]:
    """A label, and its value in parts, the most important first."""
    run, start = facts.run, facts.start
    return [
        ("parameters", [whole(run.parameters)]),
        ("device", [str(start.get("device") or run.device or ABSENT), _text(start, "dtype"),
                    _threads(start)]),
        ("torch", [_text(start, "torch") or ABSENT]),
        ("attempt", [whole(run.attempt)]),
        ("step", _step(run)),
        ("per epoch", _epoch_seconds(facts.medians)),
    ]  # fmt: skip


def _joined(parts: Sequence[str], width: int) -> str:
    """As many of the parts as there is room for."""
    text = shorten(plain(parts[0], PARAGRAPH), width)
    for part in filter(None, parts[1:]):
        longer = f"{text} · {plain(part, TITLE)}"
        if cell_len(longer) > width:
            break
        text = longer
    return text


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value)


def _threads(start: Mapping[str, Any]) -> str:
    threads = start.get("threads")
    if start.get("device_kind") != "cpu" or not isinstance(threads, int):
        return ""
    return count(threads, "thread")


def _step(run: Run) -> list[str]:
    each = f"{run.steps_per_epoch:,} an epoch" if run.steps_per_epoch else ""
    return [whole(run.step), each]


def _epoch_seconds(medians: Mapping[str, float | None]) -> list[str]:
    """Write the median training and evaluation time of an epoch."""
    known = [
        f"{duration(medians[f'{part}_seconds_median'])} {part}"
        for part in ("train", "eval")
        if medians.get(f"{part}_seconds_median") is not None
    ]
    return known or [ABSENT]


def _metrics(facts: Facts, width: int) -> list[Line]:
    """The best epoch's figures: chosen on validation, so the test figures are honest."""
    run = facts.run
    best = next((e for e in facts.epochs if e.get("epoch") == run.best_epoch), None)
    if best is None:
        return []
    label_width = max(0, min(16, width - 15))
    title = f"best epoch {run.best_epoch}"
    lines = [_figures(title, "valid", "test", "$text-muted", label_width)]
    for name, column in _SHOWN_METRICS:
        valid, test = best.get(f"valid_{column}"), best.get(f"test_{column}")
        lines.append(_figures(name, number(valid), number(test), "", label_width))
    return lines


_SHOWN_METRICS = (
    ("NDCG@10", "ndcg"),
    ("Recall@10", "recall"),
    ("MRR@10", "mrr"),
    ("  masked NDCG", "ndcg_masked"),
    ("  masked Recall", "recall_masked"),
)
"""Labels and columns: first over all items, then with items masked that the user has seen."""


def _figures(name: str, valid: str, test: str, style: str, label_width: int) -> Line:
    return [(fit(name, label_width), "$text-muted"), (f"{valid:>7}{test:>8}", style)]
