"""The entries of the command palette."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from tui.lab import Lab
from tui.shell.action import Action
from tui.shell.bindings import area_of


class ActionCommands(Provider):
    """Offers every action that works on the screen beneath, or everywhere."""

    async def discover(self) -> Hits:
        """Offer all actions."""
        for action, run in self._available():
            yield DiscoveryHit(self._title(action), run, help=action.help)

    async def search(self, query: str) -> Hits:
        """Offer the actions whose label or help matches."""
        matcher = self.matcher(query)
        for action, run in self._available():
            title = self._title(action)
            score = max(matcher.match(title), 0.9 * matcher.match(action.help))
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, text=title, help=action.help)

    def _title(self, action: Action) -> str:
        return f"{action.label}  ({cast('Lab', self.app).key_of(action)})"

    def _available(self) -> Iterator[tuple[Action, IgnoreReturnCallbackType]]:
        screen = self.screen
        area = area_of(screen)
        for action in cast("Lab", self.app).ACTIONS:
            if action.own_keys:
                continue
            if area in action.screens or "app" in action.screens:
                where = screen if area in action.screens else None
                yield action, partial(self.app.run_action, action.id, where)
