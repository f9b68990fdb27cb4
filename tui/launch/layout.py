"""How the Launch screen shares its lines among the grid, the cell under the cursor and the rest."""

from __future__ import annotations

from textual.content import Content
from textual.screen import Screen

from tui.launch.desk import OrderDesk
from tui.launch.devices.slots import DeviceSlots
from tui.launch.grid.grid import CellGrid

LOWEST = 5
"""Lines of the panels at the bottom: three of text."""

DETAIL = 9
"""Lines that the cell under the cursor needs."""

LOW = 16
"""Lines below which the grid has all the room."""

TALL = 32
"""Lines from which on there is room for the cell under the cursor."""


class Layout:
    """Gives the panels of the screen the lines that they need, as far as there are any.

    Args:
        screen: where the grid and the panels are.
        desk: stands beside the devices; says in its frame what these say where they have no room.
    """

    def __init__(
        self, screen: Screen[None], grid: CellGrid, desk: OrderDesk, devices: DeviceSlots
    ) -> None:
        self._screen, self._grid, self._desk, self._devices = screen, grid, desk, devices
        self._bottom = LOWEST

    def fit_grid(self) -> None:
        """Show all of the grid, if the cell under the cursor then still has its lines below, and
        some for its runs."""
        height = self._screen.size.height
        room = height - 2 - self._bottom - max(DETAIL, height * 2 // 5)
        wanted = self._grid.full_height
        self._grid.styles.height = min(wanted, room) if height >= TALL else "1fr"

    def fit_devices(self) -> None:
        """Give the devices the lines that they need; where they have none, a few words."""
        screen, devices = self._screen, self._devices
        wanted = devices.full_lines + devices.gutter.height
        shown = screen.has_class("-wide") or screen.has_class("-devices")
        most = max(LOWEST, screen.size.height // 3)
        bottom = min(max(LOWEST, wanted), most) if shown else LOWEST
        if bottom != self._bottom:
            self._bottom = bottom
            screen.query_one("#bottom").styles.height = bottom
            self.fit_grid()
        words = Content("") if screen.has_class("-wide") else devices.digest()
        if self._desk.border_subtitle != words:
            self._desk.border_subtitle = words
