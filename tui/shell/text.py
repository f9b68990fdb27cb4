"""Text for the screen: from outside made harmless, figures made readable.

None of it is markup. Show the result with `rich.text.Text`, `textual.content.Content` or
``markup=False``.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells, set_cell_size

if TYPE_CHECKING:
    from engine.store.news import EndedRun
    from engine.store.queries import Run

ABSENT = "–"

UNKNOWN = "n/a"
"""Stands for a figure of a device that isn't known: it is never 0."""

LONGEST = 10_000
"""Terminal cells of the longest text that is shown; a whole file may be one line."""

PARAGRAPH = 500
"""Terminal cells of a text that takes several lines; more would hide what stands below."""

TITLE = 60
"""Terminal cells of a name among others."""

# Compiled when first used, which isn't before the first paint.
_ESCAPES = (
    r"(?s)\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x9b[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|$)"  # OSC, DCS, SOS, PM, APC and their text
    r"|\x1b[ -/]*[0-~]?"
)
_BLANKS = r"[\t\n\r\v\f\x85\u2028\u2029]+"
_CONTROLS = (
    r"[\x00-\x1f\x7f-\x9f"
    # Invisible, turning the line, or of a width that terminals don't agree on.
    r"\xad\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff"
    r"\ud800-\udfff]"
)
_ACCENTS = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_HEAPS = f"({_ACCENTS}{{3}}){_ACCENTS}+"


def plain(text: str, width: int = LONGEST) -> str:
    """Make text from a file, log, data set or user one harmless line.

    Escape sequences, control and direction characters go, and of the accents heaped on one letter
    all but three; line breaks and tabs become a blank. It takes at most ``width`` terminal cells,
    the cut marked by ``…``.
    """
    if text.isascii() and text.isprintable():
        return shorten(text, width)
    head = text[: 4 * width + 1_000]
    clean = re.sub(_CONTROLS, "", re.sub(_BLANKS, " ", re.sub(_ESCAPES, "", head)))
    return shorten(re.sub(_HEAPS, r"\1", clean), width)


def cells(text: str) -> int:
    """Count the terminal cells of a harmless text."""
    return len(text) if text.isascii() else cell_len(text)


def shorten(text: str, width: int) -> str:
    """Cut a text to at most ``width`` terminal cells, the cut marked by ``…``."""
    if width <= 0:
        return ""
    head = text[: 4 * width]  # measuring a megabyte takes its time
    if len(head) == len(text) and cells(text) <= width:
        return text
    return set_cell_size(head, width - 1).rstrip() + "…"


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most ``width`` (2 or more) cells, at blanks where possible."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if cell_len(joined) <= width:
            lines[-1:] = [joined]
        else:
            lines += chop_cells(word, width)
    return lines


def duration(seconds: float | None) -> str:
    """Write ``12 ms``, ``0.8 s``, ``42 s``, ``3 m 05 s``, ``2 h 07 m`` or ``3 d 04 h``; a dash for
    None."""
    if seconds is None or seconds != seconds or seconds < 0:
        return ABSENT
    if 0 < seconds < 0.05:
        return f"{max(round(seconds * 1000), 1)} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} m"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02} h"


def number(x: float | None, digits: int = 4) -> str:
    """Write a figure with ``digits`` decimals; very small or large ones with an exponent."""
    if x is None:
        return ABSENT
    if x != x:
        return "NaN"
    if x in (float("inf"), float("-inf")):
        return "∞" if x > 0 else "-∞"
    if x and not 10**-digits <= abs(x) < 1e7:
        return f"{x:.{max(1, digits - 2)}e}"
    return f"{x:,.{digits}f}"


def whole(n: int | None) -> str:
    """Write an integer as ``269,188``; a dash for None."""
    return ABSENT if n is None else f"{n:,}"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """Write ``1 run`` or ``3 runs``."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def bytes_(n: float | None) -> str:
    """Write ``812 B``, ``4.9 MB`` or ``1.2 GB``: powers of 1000, as for downloads."""
    if n is None:
        return ABSENT
    if n < 1000:
        return f"{n:.0f} B"
    units = ("kB", "MB", "GB", "TB")
    power = 1
    while n >= 999.5 * 1000**power and power < len(units):
        power += 1
    scaled = n / 1000**power
    return f"{scaled:.{1 if scaled < 99.95 else 0}f} {units[power - 1]}"


def gib(mib: float | None, whole: float | None = None) -> str:
    """Write memory in MiB as ``1.5 GiB``, or with the ``whole`` as ``1.5 / 16 GiB``."""
    if mib is None:
        return UNKNOWN
    return f"{mib / 1024:.1f}" + (f" / {whole / 1024:.0f}" if whole else "") + " GiB"


def roughly(seconds: float) -> str:
    """Write a time that isn't known exactly: ``1 min``, ``25 min``, ``3 h``, ``4 days``."""
    minutes = max(1, round(seconds / 60))
    if minutes < 100:
        return f"{minutes} min"
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"


def moment(t: float, now: float) -> str:
    """Write a time (seconds since 1970) as ``18:40``, on another day as ``Tue 18:40``, and further
    away than five days as a date."""
    then, today = datetime.fromtimestamp(t), datetime.fromtimestamp(now)
    if then.date() == today.date():
        return then.strftime("%H:%M")
    return then.strftime("%a %H:%M" if abs(t - now) < 5 * 86_400 else "%Y-%m-%d")


def fitting(parts: Sequence[str], width: int) -> str:
    """Join with dots as many of the parts as there is room for, the first (cut) in any case. Empty
    ones are left out."""
    text = shorten(parts[0], width)
    for part in filter(None, parts[1:]):
        if cells(longer := f"{text} · {part}") > width:
            break
        text = longer
    return text


_AGES = (60, "s", 1), (3600, "m", 60), (86_400, "h", 3600), (30 * 86_400, "d", 86_400)
"""Ages below a number of seconds, the unit for them, and its seconds."""


def ago(t: float | None, now: float | None = None) -> str:
    """Write how long ago a time (seconds since 1970) was; its date after a month."""
    if t is None:
        return ABSENT
    passed = (time.time() if now is None else now) - t
    if passed < 5:
        return "just now"
    for end, unit, seconds in _AGES:
        if passed < end:
            return f"{int(passed // seconds)} {unit} ago"
    return datetime.fromtimestamp(t).strftime("%Y-%m-%d")


def run_label(run: Run | EndedRun, width: int = 120, settings: str = "") -> str:
    """Name a run in at most ``width`` cells: ``sasrec · ml-100k · L50 · s42``. Where that is too
    long, the data set is cut or left out, and length and seed stay: ``sasrec · ml-… · L50 · s42``,
    ``sasrec L50 s42``.

    Args:
        settings: what tells it from other runs, which comes last: ``lr=0.001``. There they have
            what the model leaves, or if that is more half of the width.
    """
    model, dataset, settings = plain(run.model), plain(run.dataset), plain(settings)
    place = f" · L{run.length} · s{run.seed}"
    end = f"{place} · {settings}" if settings else place
    room = width - cells(end) - cells(model) - 3
    if room >= 2:
        return f"{model} · {shorten(dataset, room)}{end}"
    end = place.replace(" ·", "")
    most = max(width // 2, width - cells(f"{model}{end} "))
    end += f" {shorten(settings.replace(' ·', ''), most)}" if settings else ""
    return shorten(shorten(model, max(width - cells(end), 2)) + end, width)


def epochs_text(run: Run, *, named: bool = True) -> str:
    """Write the epoch that a run has reached, of how many: ``3/20``; of a fitted model the fit, if
    ``named`` as such: ``fit 3/12``."""
    if not run.epochs:
        return ABSENT
    text = f"{run.epoch or 0}/{run.epochs}"
    return f"fit {text}" if run.fitted and named else text


def short_path(path: Path, width: int = 40) -> str:
    """Write a path with ``~`` for home, its front cut (``…/runs.db``) to fit ``width`` cells."""
    text, home = plain(str(path)), os.path.expanduser("~")  # noqa: PTH111 - never raises
    if home != "/" and text.startswith(home + os.sep):
        text = "~" + text[len(home) :]
    if cell_len(text) <= width:
        return text
    parts = PurePath(text).parts
    for first in range(1, len(parts)):
        tail = str(PurePath("…", *parts[first:]))
        if cell_len(tail) <= width:
            return tail
    return shorten(plain(path.name), width)
