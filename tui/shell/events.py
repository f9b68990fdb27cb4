"""A run's journal in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui.shell.log_follower import LINE_CHARACTERS
from tui.shell.text import duration, number, plain

NEWEST = 40
"""Newest epochs that have a line each in `journal_lines`."""


def start_text(start: Mapping[str, Any]) -> str:
    """Write ``attempt 2 goes on after epoch 4 on cpu``, of the fields of a ``start``."""
    resumed = start.get("resumed_epoch")
    how = f"goes on after epoch {resumed}" if resumed else "starts"
    device = plain(str(start.get("device") or "its device"), 80)
    return plain(f"attempt {start['attempt']} {how} on {device}")


def epoch_text(row: Mapping[str, Any]) -> str:
    """Write ``epoch   3   loss 5.1234   valid NDCG 0.0321``, of a row of the table ``epochs``."""
    figures = f"loss {number(row['loss'])}   valid NDCG {number(row['valid_ndcg'])}"
    return f"epoch {row['epoch']:>3}   {figures}"


def journal_lines(start: Mapping[str, Any], epochs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write how the newest attempt started, and the figures of the newest epochs."""
    began = [start_text(start)] if start else []
    return began + [
        f"{epoch_text(row)}   Recall {number(row['valid_recall'])}"
        f"   {duration(row['train_seconds'])} + {duration(row['eval_seconds'])}"
        for row in epochs[-NEWEST:]
    ]


def notice(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """Write a warning or an end in a line, with its style; ``None`` for other events."""
    message = plain(str(event.get("message") or ""), LINE_CHARACTERS)
    if event["kind"] == "warning":
        return f"warning: {message}", "$warning"
    if event["kind"] == "end":
        style = "$error" if event.get("status") == "failed" else "$success"
        return f"end: {message or plain(str(event.get('status')))}", style
    return None
