"""A run's journal in lines, for a log that is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui.shell.events import start_text
from tui.shell.text import duration, number

NEWEST = 40
"""Newest epochs that have a line each."""


def journal_lines(start: Mapping[str, Any], epochs: Sequence[Mapping[str, Any]]) -> list[str]:
    """How the newest attempt started, and the figures of the newest epochs."""
    began = [start_text(start)] if start else []
    return began + [
        f"epoch {row['epoch']:>3}   loss {number(row['loss'])}"
        f"   valid NDCG {number(row['valid_ndcg'])}   Recall {number(row['valid_recall'])}"
        f"   {duration(row['train_seconds'])} + {duration(row['eval_seconds'])}"
        for row in epochs[-NEWEST:]
    ]
