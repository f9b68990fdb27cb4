"""The queue's end, in words."""

from __future__ import annotations

from tui.live.reading import QueueEnd
from tui.shell.text import count, moment, roughly


def end_words(
    end: QueueEnd | None, unfinished: int, paused: bool, now: float, *, studying: bool = False
) -> list[str]:
    """Say how long the queue still takes and when that is over: ``about 25 min``, ``done at
    18:40``; in plain words where it isn't known.

    Args:
        unfinished: number of runs that train or wait.
        now: seconds since 1970.
        studying: whether a study will queue further runs.
    """
    if not unfinished:
        return []
    if end is None:
        return ["no time estimate yet"]
    words = [f"{'at most' if end.at_most else 'about'} {roughly(end.seconds)}"]
    if end.unknown:
        words.append(f"{count(end.unknown, 'run')} without an estimate")
    elif studying:
        words.append("then a study goes on")
    elif not paused:
        words.append(f"done {'by' if end.at_most else 'at'} {moment(now + end.seconds, now)}")
    return words
