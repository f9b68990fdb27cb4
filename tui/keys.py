"""Every action of the app: its keys, footer label, help line and palette entry are made from here.

An action ``choose('row')`` calls the method ``action_choose`` of the screen, or of the app for the
area ``app``. Its ``name`` is what a user's file of keys calls it. Keys are letters, F-keys, arrows,
page keys, space, enter, escape or ctrl+letter.
"""

from __future__ import annotations

from tui.charts.keys import CHARTS
from tui.compare.keys import COMPARE
from tui.data.keys import DATA
from tui.launch.keys import LAUNCH
from tui.live.keys import LIVE
from tui.pivot.keys import PIVOT
from tui.run.keys import RUN
from tui.run.replay.keys import REPLAY
from tui.shell.keys import APP, UNDO
from tui.study.keys import STUDY

ACTIONS = APP + LAUNCH + LIVE + COMPARE + PIVOT + RUN + CHARTS + REPLAY + DATA + STUDY + (UNDO,)
