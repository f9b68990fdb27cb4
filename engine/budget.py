"""The budget that a run's settings were chosen with, where no study counted it."""

from __future__ import annotations

from typing import Literal

ByHand = Literal["by hand"]
BY_HAND: ByHand = "by hand"
"""How a recipe says that people chose its settings, looking at results on validation: how many
trials and how much time that took was not counted. The store has 0 for both."""
