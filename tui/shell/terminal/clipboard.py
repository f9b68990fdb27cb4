"""The clipboard, where a terminal multiplexer stands between the app and the terminal.

A terminal takes a text by OSC 52 and never says whether it did. tmux passes no program's OSC 52 on
unless it is told to, but takes a text by its own command, keeps it, and hands it to the terminal.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping

TMUX_SECONDS = 3.0
"""Most time for tmux's command."""

_SCREENS_LONGEST = 256
"""Bytes of the longest string that every GNU screen passes on."""


def copy_by_tmux(text: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Give a text to the tmux that the app runs in; return whether it took it."""
    if not environment.get("TMUX"):
        return False
    try:
        subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=text.encode(errors="replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            timeout=TMUX_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def through_screen(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Write OSC 52 so that GNU screen passes it on to the terminal; empty where there is none."""
    if not environment.get("STY"):
        return ""
    content = base64.b64encode(text.encode(errors="replace")).decode()
    sequence, room = f"\x1b]52;c;{content}\a", _SCREENS_LONGEST - len("\x1bP\x1b\\")
    parts = (sequence[start : start + room] for start in range(0, len(sequence), room))
    return "".join(f"\x1bP{part}\x1b\\" for part in parts)
