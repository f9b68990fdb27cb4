"""Every action of the app, once: keys, footer label, help line and palette entry come from here.

An action ``choose('row')`` calls the method ``action_choose`` of the screen, or of the app for the
area ``app``. Its ``name`` is what a user's file of keys calls it. Keys are letters, F-keys, arrows,
page keys, space, enter, escape or ctrl+letter.
"""

from __future__ import annotations

from tui.actions.app import APP
from tui.actions.charts import CHARTS
from tui.actions.compare import COMPARE
from tui.actions.data import DATA
from tui.actions.launch import LAUNCH
from tui.actions.live import LIVE
from tui.actions.pivot import PIVOT
from tui.actions.replay import REPLAY
from tui.actions.run import RUN

ACTIONS = APP + LAUNCH + LIVE + COMPARE + PIVOT + RUN + CHARTS + REPLAY + DATA
