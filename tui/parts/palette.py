"""The command palette: its field, and its entries."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.command import (
    CommandInput,
    CommandList,
    CommandPalette,
    DiscoveryHit,
    Hit,
    Hits,
    Provider,
    ProviderSource,
)
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.types import IgnoreReturnCallbackType
from textual.widgets import LoadingIndicator
from textual.worker import WorkerCancelled

from tui.lab import Lab
from tui.shell.action import Action
from tui.shell.bindings import area_of
from tui.shell.private import searches
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, act_at_once
from tui.widgets.key_button import KeyButton


class PaletteField(CommandInput):
    """The palette's field, which applies keys in the order in which they were typed."""

    async def on_key(self, event: Key) -> None:
        """Run a key's binding at once, before the next key is handled."""
        await act_at_once(self, event)


class Palette(CommandPalette):
    """Textual's palette as a dialog, in which enter means what was typed.

    Args:
        title: what it offers.
        providers: of that.
    """

    def __init__(self, title: str = "Commands", providers: ProviderSource | None = None) -> None:
        super().__init__(providers)
        self._heading = title

    def compose(self) -> ComposeResult:
        """Compose Textual's parts, by the names that it knows them by, as a dialog of ours."""
        keys = KeyButton("⏎", "Choose", "choose", main=True), KeyButton("esc", "Close", "escape")
        with Dialog(self._heading, *keys, id="--container"):
            with Horizontal(id="--input"):
                yield PaletteField(placeholder="Search …", select_on_focus=False)
            with Vertical(id="--results"):
                yield CommandList()
                yield LoadingIndicator()

    async def action_choose(self) -> None:
        """Do what enter does in the field."""
        await self.query_one(PaletteField).action_submit()

    @on(Field.Submitted)
    async def _list_first(self, event: Field.Submitted) -> None:
        """Wait until what is listed was found for the text; then Textual's own handler chooses."""
        try:
            for search in searches(self):
                await search.wait()
        except WorkerCancelled:  # escape came meanwhile
            event.stop()
            event.prevent_default()


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
        for action in cast("Lab", self.app).actions():
            if action.own_keys:
                continue
            if area in action.screens or "app" in action.screens:
                where = screen if area in action.screens else None
                yield action, partial(self.app.run_action, action.id, where)
