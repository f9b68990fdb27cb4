"""How the charts of each run are looked at, on whatever screen, for as long as the app runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from tui.charts.braille.view import ChartView
from tui.lab import Lab


@dataclass(frozen=True, slots=True)
class Look:
    """How a run's charts are drawn (smoothing, scale, zoom), and which runs are overlaid."""

    view: ChartView = field(default_factory=ChartView)
    overlay: tuple[str, ...] = ()


class Looks:
    """The look of each run."""

    def __init__(self) -> None:
        self._of: dict[str, Look] = {}
        self._latest = ChartView()

    def of(self, run_id: str) -> Look:
        """The look of a run; at first that of the last run, without overlaid runs."""
        start = replace(self._latest, window=None, cursor=None)
        return self._of.get(run_id) or Look(start)

    def keep(self, run_id: str, look: Look) -> None:
        """Set the look of a run."""
        self._of[run_id], self._latest = look, look.view


_OF_APPS: WeakKeyDictionary[Lab, Looks] = WeakKeyDictionary()


def looks_of(app: Lab) -> Looks:
    """The looks that an app's screens share."""
    return _OF_APPS.setdefault(app, Looks())
