"""A run's own time: attempts one after the other, without the gaps between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """One attempt's part of a run's time."""

    attempt: int
    start: float
    """Wall time of its first journal line, seconds since 1970."""
    seconds: float
    before: float
    """Seconds of running before the attempt."""


class Timeline:
    """Turns wall time into seconds of running, and back.

    Args:
        attempts: Number, and wall time of the first and of the last journal line, in order.
    """

    def __init__(self, attempts: Iterable[tuple[int, float, float]]) -> None:
        self.spans: list[Span] = []
        total = 0.0
        for attempt, first, last in attempts:
            seconds = max(0.0, last - first)
            self.spans.append(Span(attempt, first, seconds, total))
            total += seconds
        self.total = total
        self._by_attempt = {span.attempt: span for span in self.spans}

    def seconds(self, attempt: int, t: float) -> float:
        """Convert an attempt's wall time ``t`` to seconds of running."""
        span = self._by_attempt.get(attempt)
        return 0.0 if span is None else span.before + max(0.0, t - span.start)

    def span_at(self, seconds: float) -> Span | None:
        """Find the attempt that ran after ``seconds`` of running; ``None`` if there is none."""
        started = [span for span in self.spans if span.before <= seconds]
        return started[-1] if started else None

    def wall_time(self, seconds: float) -> float | None:
        """Convert seconds of running to wall time; ``None`` if there is no attempt."""
        span = self.span_at(seconds)
        return None if span is None else span.start + min(seconds - span.before, span.seconds)
