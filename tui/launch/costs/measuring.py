"""Measuring what runs cost that no run here tells, while a dialog about them is open."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.dom import DOMNode

from engine.spec import RunSpec
from tui.launch.reading import CostEstimate, MeasuringProcess, Slot, cost_key
from tui.shell.reading import Reading
from tui.shell.text import PARAGRAPH, count, plain

MOST_MEASURED = 9
"""Kinds of run that are measured while a dialog is open; each takes some seconds."""


class Measuring:
    """Measures one run of each kind, one after the other, each in a process of its own.

    Args:
        owner: the dialog.
        take: takes each cost that was measured, with its key (`cost_key`).
        show: called when the words on what is measured have changed.
    """

    def __init__(
        self,
        owner: DOMNode,
        take: Callable[[str, CostEstimate], object],
        show: Callable[[], object],
    ) -> None:
        self.process: MeasuringProcess | None = None
        """What measures, or measured last."""
        self._take, self._show = take, show
        self._waiting: list[tuple[RunSpec, Slot]] = []
        self._tried: set[str] = set()
        self._problem = ""
        self._no_slot = self._stopped = False
        self._reading = Reading(owner, self._taken, self._missed)

    def begin(self, specs: Iterable[RunSpec], slot: Slot | None) -> None:
        """Measure runs whose cost isn't known, unless others are being measured.

        Args:
            specs: whose data is here.
            slot: that no run is in; ``None`` if there is none now.
        """
        kinds: dict[str, RunSpec] = {}
        for spec in specs:
            kinds.setdefault(cost_key(spec), spec)
        room = MOST_MEASURED - len(self._tried)
        chosen = [key for key in kinds if key not in self._tried][:room]
        if slot is not None and chosen and not self._waiting:
            self._tried.update(chosen)
            self._waiting = [(kinds[key], slot) for key in chosen]
            self._next()
        self._no_slot = slot is None and bool(chosen)

    def stop(self) -> None:
        """End what is being measured."""
        self._stopped = True
        if self.process is not None:
            self.process.stop()

    def words(self, *, more: bool) -> str:
        """Say what is being measured, or why something isn't; empty if nothing is to be said.

        Args:
            more: whether the cost of other runs is known.
        """
        if self._waiting:
            return f"measuring {count(len(self._waiting), 'more run' if more else 'run')} …"
        return "measured once a slot is free" if self._no_slot else self._problem

    def _next(self) -> None:
        spec, slot = self._waiting[0]

        def read() -> CostEstimate:
            self.process = process = MeasuringProcess(spec, slot)
            if self._stopped:
                process.stop()
            return process.result()

        self._reading.ask(read)

    def _taken(self, cost: CostEstimate) -> None:
        self._take(cost_key(self._waiting[0][0]), cost)
        self._end()

    def _missed(self, problem: str) -> None:
        self._problem = plain(problem, PARAGRAPH)
        self._end()

    def _end(self) -> None:
        del self._waiting[0]
        if self._waiting:
            self._next()
        self._show()
