"""What is known of a run, in a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.fitted import chosen_settings, combination_text
from engine.lifecycle import allows
from engine.marks import STILL_IMPROVING
from tui.lab import Lab
from tui.live.reading import JobFacts, Run
from tui.shell.standing import sign
from tui.shell.standing import style as standing_style
from tui.shell.text import (
    ABSENT,
    PARAGRAPH,
    TITLE,
    count,
    duration,
    fitting,
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
    "cancelled": "press t to train it again",
    "lost": "its process vanished: press t to retry",
    "queued": "waiting in the queue: press x to cancel",
}
"""What to press, by state."""
_RESUME = "press t to resume from the last checkpoint"
_IMPROVING = "still improving at its epoch limit: press m for more epochs"

_CAUSES = {"completed": "all epochs", "early-stopping": "early stopping", "cancelled": ""}
"""Words for causes of a run's end that aren't shown under their own name."""


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
    beside: int = 0
    """What else was on its GPU lately, processes and runs of its own process."""
    part: float | None = None
    """Its part of the updates of all runs of its process, if there are others."""
    resumable: bool = False
    """Whether there is a checkpoint to resume from."""
    speed: float | None = None
    """Interactions that it trains on per second."""


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
        if facts.run.state == "cancelled" and facts.resumable:
            words = _RESUME
        elif facts.run.state == "failed" and facts.run.cause == "diverged":
            words = "press ⏎ to see what to try"
        lines = _state(facts.run, self.app.key_written(words), width) + _job(facts, width)
        lines += [[(text, "")] for text in wrap(_patience(facts), max(width, 10))]
        rest = height - len(lines)
        table = _metrics(facts, width)
        rows = _rows(facts, width - _LABEL_WIDTH)
        for label in _LEAST_IMPORTANT:
            if len(rows) + len(table) > rest:
                rows = [row for row in rows if row[0] != label]
                table = table[:-_MASKED] if label == "masked" and table else table
        pairs: list[Line] = [
            [(label.ljust(_LABEL_WIDTH), "$text-muted"), (_joined(parts, width - _LABEL_WIDTH), "")]
            for label, parts in rows
        ]
        return lines + pairs + table


_LEAST_IMPORTANT = (
    "torch", "attempt", "masked", "parameters", "step", "device", "speed", "share", "beside",
)  # fmt: skip
"""Labels left out, in this order, where there is no room for all; ``masked`` are two metrics."""
_MASKED = 2


def _state(run: Run, next_step: str, width: int) -> list[Line]:
    """Write the state in its colour; for a run that ended badly why, and what to do."""
    style = standing_style(run.standing)
    told = run.state == "running" or run.cause == run.standing
    cause = "" if told else plain(run.cause or "", TITLE)
    cause = "all combinations" if run.fitted and cause == "completed" else _CAUSES.get(cause, cause)
    headline = f"{sign(run.standing)} {plain(run.standing)}" + (f" · {cause}" if cause else "")
    lines: list[Line] = [[(shorten(headline, width), f"bold {style}")]]
    if allows(run.state, "retry") and run.message and run.message.lower() != f"{run.state}.":
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
    """Values of a node's driver and host, the most important first; empty where unknown."""

    def figure(name: str, form: str, factor: float = 1.0) -> str:
        value = node.get(name)
        return "" if value is None else form.format(value * factor)

    return [
        figure("gpu_utilization", "GPU {:.0f} %"),
        figure("gpu_memory_mib", "{:.1f} GiB", 1 / 1024),
        figure("gpu_temperature_c", "{:.0f} °C"),
        figure("cpu_percent", "CPU {:.0f} %"),
        figure("process_memory_mib", "{:,.0f} MiB this run"),
    ]


def _rows(facts: Facts, width: int) -> list[tuple[str, list[str]]]:
    """A label, and its value in parts, the most important first; without what isn't known.

    Args:
        width: cells for a value.
    """
    run, start = facts.run, facts.start
    rows = [
        ("parameters", [whole(run.parameters)]),
        ("device", [str(start.get("device") or run.device or ABSENT),
                    "" if run.fitted else _text(start, "dtype"), _threads(start)]),
        ("torch", [_text(start, "torch") or ABSENT]),
        ("attempt", [whole(run.attempt)]),
        ("tried" if facts.run.fitted else "step", _tried(run) if facts.run.fitted else _step(run)),
        *([("refits", [run.refits])] if run.refits else []),
        *([("trial", [f"{run.trial} of {run.study}"])] if run.study else []),
        *_chosen(facts),
        *_epoch_seconds("per fit" if facts.run.fitted else "per epoch", facts.medians, width),
        *_beside(facts),
        *_speed(None if run.fitted else facts.speed),
    ]  # fmt: skip
    return [row for row in rows if row[1][0] != ABSENT]


def _chosen(facts: Facts) -> list[tuple[str, list[str]]]:
    """The settings that validation chose so far, of a fitted model."""
    settings = chosen_settings(facts.epochs, facts.run.best_epoch)
    return [("chosen", [combination_text(settings)])] if settings else []


def _beside(facts: Facts) -> list[tuple[str, list[str]]]:
    """Say how many others its GPU had to itself at the times above, and its part of the work."""
    if not facts.beside:
        return []
    share = [] if facts.part is None else [("share", [f"{facts.part:.0%} of the updates"])]
    return [("beside", [count(facts.beside, "other")]), *share]


def _speed(speed: float | None) -> list[tuple[str, list[str]]]:
    """Say how fast it trains; beside the unit there is room for six digits."""
    if speed is None:
        return []
    short = f"{speed / 1e6:.2f} M" if speed >= 999_999.5 else f"{speed:,.0f}"
    return [("speed", [f"{short} interactions/s"])]


def _patience(facts: Facts) -> str:
    """Say how close early stopping is: ``best 12 epochs ago, patience 20``; empty if unknown."""
    run, patience = facts.run, facts.start.get("patience")
    if run.state != "running" or not isinstance(patience, int) or run.best_epoch is None:
        return ""
    if run.epochs is not None and run.best_epoch + patience >= run.epochs:
        return ""  # its last epoch comes first
    ago = (run.epoch or 0) - run.best_epoch
    best = f"best {count(ago, 'epoch')} ago" if ago else "latest epoch is best"
    return f"{best}, patience {patience:,}"


def _joined(parts: Sequence[str], width: int) -> str:
    """As many of the parts as there is room for."""
    return fitting([plain(part, PARAGRAPH) for part in parts], width)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value)


def _threads(start: Mapping[str, Any]) -> str:
    threads = start.get("threads")
    if start.get("device_kind") != "cpu" or not isinstance(threads, int):
        return ""
    return count(threads, "thread")


def _tried(run: Run) -> list[str]:
    return [f"combination {run.epoch or 0:,} of {whole(run.epochs)}"]


def _step(run: Run) -> list[str]:
    text = whole(run.step)
    return [f"{text} ({run.steps_per_epoch:,} per epoch)" if run.steps_per_epoch else text]


def _epoch_seconds(
    label: str, medians: Mapping[str, float | None], width: int
) -> list[tuple[str, list[str]]]:
    """Write the median training and evaluation time of an epoch: ``train 6.4 s, eval 0.8 s``, on
    two lines where one has no room for both."""
    known = [
        f"{part} {duration(medians[f'{part}_seconds_median'])}"
        for part in ("train", "eval")
        if medians.get(f"{part}_seconds_median") is not None
    ]
    if len(joined := ", ".join(known)) <= width:
        return [(label, [joined])] if known else []
    return [(label if n == 0 else "", [text]) for n, text in enumerate(known)]


def _metrics(facts: Facts, width: int) -> list[Line]:
    """Write the metrics of the best epoch, which is chosen on validation only."""
    run = facts.run
    best = next((e for e in facts.epochs if e.get("epoch") == run.best_epoch), None)
    if best is None:
        return []
    label_width = max(0, min(16, width - 15))
    title = f"{'combination' if facts.run.fitted else 'best epoch'} {run.best_epoch}"
    trial = run.study is not None  # it has nothing of test
    lines = [_figures(title, "valid", "" if trial else "test", "$text-muted", label_width)]
    for name, column in _SHOWN_METRICS:
        valid, test = best.get(f"valid_{column}"), best.get(f"test_{column}")
        text = "" if trial else number(test)
        lines.append(_figures(name, number(valid), text, "", label_width))
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
