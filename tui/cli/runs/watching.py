"""``seqbench watch --live``: the queue and its newest events on a few lines that are redrawn."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from engine.lifecycle import WAITING
from engine.store.queries import Run
from tui.shell.states import glyph
from tui.shell.terminal.glyphs import ascii_wanted, to_ascii
from tui.shell.text import PARAGRAPH, duration, epochs_text, number, plain

NEWS = 5
"""Lines of events under the runs."""

BAR_CELLS = 12
LEAST_RUNS = 3

COLOURS = {
    "running": "blue", "queued": "cyan", "done": "green", "failed": "red", "lost": "magenta",
    "cancelled": "bright_black",
}  # fmt: skip


@dataclass
class QueueView:
    """What is drawn: the runs that go on, as many as there is room for, and the newest events."""

    console: Console
    ascii_only: bool = field(default_factory=lambda: ascii_wanted("auto"))
    runs: Sequence[Run] = ()
    news: deque[str] = field(default_factory=lambda: deque(maxlen=NEWS))

    def render(self) -> RenderableType:
        """The whole view."""
        room = max(LEAST_RUNS, self.console.height - NEWS - 4)
        shown = sorted(self.runs, key=_order)
        parts: list[RenderableType] = [self._counts()]
        if shown:
            parts.append(self._table(shown[:room]))
        if (more := len(shown) - room) > 0:
            parts.append(Text(self._signs(f"  … and {more:,} more"), "bright_black"))
        parts += [
            Text(self._signs(line), "bright_black", no_wrap=True, overflow="ellipsis")
            for line in self.news
        ]
        return Group(*parts)

    def _counts(self) -> RenderableType:
        counts = Counter(run.state for run in self.runs)
        words = [
            (f"{self._signs(glyph(state))} {counts[state]:,} {state}  ", COLOURS[state])
            for state in COLOURS
            if counts[state]
        ]
        return Text.assemble(*words) if words else Text("nothing is queued", "bright_black")

    def _table(self, runs: Sequence[Run]) -> RenderableType:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for _ in range(4):
            table.add_column(no_wrap=True, justify="right")
        for run in runs:
            colour = COLOURS.get(run.state, "")
            table.add_row(
                Text(self._signs(glyph(run.state)), colour),
                Text(self._signs(plain(run.id, PARAGRAPH))),
                Text(self._bar(run.progress), colour),
                Text(epochs_text(run) if run.epochs else ""),
                Text(self._signs(f"NDCG {number(run.best_valid_ndcg)}")),
                Text(self._signs(duration(run.eta_seconds)) if run.state == "running" else ""),
            )
        return table

    def _bar(self, progress: float | None) -> str:
        full = round(BAR_CELLS * (progress or 0.0))
        return self._signs("■" * full + "·" * (BAR_CELLS - full)) if progress is not None else ""

    def _signs(self, text: str) -> str:
        return to_ascii(text) if self.ascii_only else text


def _order(run: Run) -> tuple[bool, bool, int]:
    """What runs first, then what waits; what has ended last."""
    return run.state != "running", run.state not in WAITING, run.position


@contextmanager
def live_view() -> Iterator[tuple[Callable[[str], None], Callable[[Sequence[Run]], None]]]:
    """Draw on the terminal; gives what to call with an event and with the runs."""
    console = Console(highlight=False)
    view = QueueView(console)
    with Live(view.render(), console=console, auto_refresh=False) as live:

        def say(line: str) -> None:
            view.news.append(plain(line))

        def show(runs: Sequence[Run]) -> None:
            view.runs = runs
            live.update(view.render(), refresh=True)

        yield say, show
