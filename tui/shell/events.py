"""A run's journal in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.fitted import combination_text
from tui.shell.log_follower import LINE_CHARACTERS
from tui.shell.states import style_variable
from tui.shell.text import PARAGRAPH, duration, number, plain


def start_text(start: Mapping[str, Any]) -> str:
    """Write ``attempt 2 resumes after epoch 4 on cpu``, of the fields of a ``start``."""
    resumed = start.get("resumed_epoch")
    how = f"resumes after epoch {resumed}" if resumed else "starts"
    device = plain(str(start.get("device") or "its device"), 80)
    return plain(f"attempt {start['attempt']} {how} on {device}")


def epoch_text(row: Mapping[str, Any]) -> str:
    """Write ``epoch   3   loss 5.1234   valid NDCG 0.0321``, of a row of the table ``epochs``; of a
    fitted model ``combination   3   share=0.5   valid NDCG 0.0321``."""
    if (settings := row.get("settings")) is not None:
        parts = [f"combination {row['epoch']:>3}", combination_text(settings)]
        parts.append(f"valid NDCG {number(row['valid_ndcg'])}")
        return plain("   ".join(filter(None, parts)), PARAGRAPH)
    figures = f"loss {number(row['loss'])}   valid NDCG {number(row['valid_ndcg'])}"
    return f"epoch {row['epoch']:>3}   {figures}"


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line of a run's journal in words."""

    attempt: int
    seq: int
    """Its number in the attempt's journal."""
    text: str
    style: str = ""
    is_notice: bool = False
    """Whether it is a warning or an end."""

    @property
    def place(self) -> tuple[int, int]:
        """Where in the journals of all attempts it stands."""
        return self.attempt, self.seq


def journal_lines(
    events: Sequence[Mapping[str, Any]], epochs: Sequence[Mapping[str, Any]]
) -> list[JournalLine]:
    """Write starts, epochs, warnings and ends of all attempts, in order.

    Args:
        events: as `engine.store.series.events` reads them.
        epochs: rows of the table ``epochs``.
    """
    lines = []
    for event in events:
        place = event["attempt"], event["seq"]
        if event["kind"] == "start":
            lines.append(JournalLine(*place, start_text(event)))
        elif (said := notice(event)) is not None:
            lines.append(JournalLine(*place, *said, is_notice=True))
    for row in epochs:
        took = f"train {duration(row['train_seconds'])}, eval {duration(row['eval_seconds'])}"
        text = f"{epoch_text(row)}   Recall {number(row['valid_recall'])}   {took}"
        lines.append(JournalLine(row["attempt"], row["seq"], text))
    return sorted(lines, key=lambda line: line.place)


def last_words(journal: Sequence[JournalLine]) -> list[JournalLine]:
    """Choose what stands at the end of a run's log, which else is what its workers wrote, or the
    journal if they wrote nothing: the warnings and the end of the newest attempt."""
    newest = max((line.attempt for line in journal), default=0)
    return [line for line in journal if line.is_notice and line.attempt == newest]


def notice(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """Write a warning or an end in a line, with its style; ``None`` for other events."""
    message = plain(str(event.get("message") or ""), LINE_CHARACTERS)
    if event["kind"] == "warning":
        return f"warning: {message}", "$warning"
    if event["kind"] == "end":
        status = str(event.get("status"))
        return f"end: {message or plain(status)}", style_variable(status)
    return None
