"""A journal's events in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.shell.log_follower import LINE_CHARACTERS
from tui.shell.text import plain


def start_text(start: Mapping[str, Any]) -> str:
    """``attempt 2 goes on after epoch 4 on cpu``, of the fields of a ``start``."""
    resumed = start.get("resumed_epoch")
    how = f"goes on after epoch {resumed}" if resumed else "starts"
    device = plain(str(start.get("device") or "its device"), 80)
    return plain(f"attempt {start['attempt']} {how} on {device}")


def notice(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """A warning or an end in a line, and its style; ``None`` for other events."""
    message = plain(str(event.get("message") or ""), LINE_CHARACTERS)
    if event["kind"] == "warning":
        return f"warning: {message}", "$warning"
    if event["kind"] == "end":
        style = "$error" if event.get("status") == "failed" else "$success"
        return f"end: {message or plain(str(event.get('status')))}", style
    return None
