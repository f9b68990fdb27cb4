"""A run's journal in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.fitted import combination_text
from tui.shell.log_follower import LINE_CHARACTERS
from tui.shell.states import style_variable
from tui.shell.text import PARAGRAPH, duration, number, plain

WARNING = "$warning"
"""The style of a warning."""


def start_text(start: Mapping[str, Any]) -> str:
    """Write ``attempt 2 resumes after epoch 4 on cpu``, of the fields of a ``start``."""
    resumed = start.get("resumed_epoch")
    how = f"resumes after epoch {resumed}" if resumed else "starts"
    device = plain(str(start.get("device") or "its device"), 80)
    return plain(f"attempt {start['attempt']} {how} on {device}")


def epoch_text(row: Mapping[str, Any]) -> str:
    """Write ``epoch   3   loss 5.1234   valid NDCG 0.0321``, of a row of the table ``epochs``; of a
    fitted model ``combination   3   share=0.5   valid NDCG 0.0321``; of a refit without validation.
    """
    valid = "" if row["valid_ndcg"] is None else f"valid NDCG {number(row['valid_ndcg'])}"
    if (settings := row.get("settings")) is not None:
        parts = [f"combination {row['epoch']:>3}", combination_text(settings), valid]
        return plain("   ".join(filter(None, parts)), PARAGRAPH)
    parts = [f"epoch {row['epoch']:>3}", f"loss {number(row['loss'])}", valid]
    return "   ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line of a run's journal in words."""

    attempt: int
    seq: int
    """Its number in the attempt's journal."""
    kind: str
    text: str
    style: str = "$text-muted"
    log_bytes: int | None = None
    """How long the run's log was then, if the journal says so."""

    @property
    def place(self) -> tuple[int, int]:
        """Where in the journals of all attempts it stands."""
        return self.attempt, self.seq


def journal_lines(
    events: Sequence[Mapping[str, Any]],
    epochs: Sequence[Mapping[str, Any]],
    after: tuple[int, int] = (0, -1),
) -> list[JournalLine]:
    """Write starts, epochs, checkpoints, warnings and ends of all attempts, in order.

    Args:
        events: as `engine.store.series.events` reads them.
        epochs: rows of the table ``epochs``.
        after: the place after which they are wanted.
    """
    lines = [event_line(event) for event in events if (event["attempt"], event["seq"]) > after]
    for row in epochs:
        if (row["attempt"], row["seq"]) > after:
            took = f"train {duration(row['train_seconds'])}, eval {duration(row['eval_seconds'])}"
            recall = row["valid_recall"]
            parts = [epoch_text(row), "" if recall is None else f"Recall {number(recall)}", took]
            text = "   ".join(filter(None, parts))
            lines.append(JournalLine(row["attempt"], row["seq"], "epoch", text))
    return sorted(lines, key=lambda line: line.place)


def event_line(event: Mapping[str, Any]) -> JournalLine:
    """Write a start, checkpoint, warning or end in a line, with its style."""
    kind, size = event["kind"], event.get("log_bytes")
    match kind:
        case "start":
            text, style = start_text(event), "$text-muted"
        case "checkpoint":
            text, style = plain(f"checkpoint of epoch {event.get('epoch')}"), "$text-disabled"
        case _:
            text, style = _notice(event)
    known = size if isinstance(size, int) else None
    return JournalLine(event["attempt"], event["seq"], kind, text, style, known)


def _notice(event: Mapping[str, Any]) -> tuple[str, str]:
    message = plain(str(event.get("message") or ""), LINE_CHARACTERS)
    if event["kind"] == "warning":
        return f"warning: {message}", WARNING
    status = str(event.get("status"))
    return f"end: {message or plain(status)}", style_variable(status)
