"""The dialog for a study, opened and filled in as people do."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from pilots import settled, wait_for
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static, TextArea

from engine.spec import RunSpec
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.studies import study_names, trials_of
from tui.launch.grid.cells import CellKey
from tui.launch.screen import LaunchScreen
from tui.launch.tuning.screen import TuneScreen

BOTH = [("gru4rec", "synthetic", 50), ("sasrec", "synthetic", 50)]


async def open_dialog(
    pilot: Pilot[None],
    cells: Iterable[CellKey] = BOTH,
    settings: str = "",
    *,
    measured: bool = True,
) -> TuneScreen:
    """Open it for some cells; unless what their runs cost is being measured, wait for all of it."""
    await settled(pilot)
    launch = pilot.app.screen
    assert isinstance(launch, LaunchScreen)
    launch.query_one("#settings", TextArea).load_text(settings)
    launch.grid.select(cells)
    await settled(pilot)
    await pilot.press("t")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, TuneScreen), "the dialog")
    screen = pilot.app.screen
    assert isinstance(screen, TuneScreen)
    if measured:
        await settled(pilot)
    return screen


async def type_into(pilot: Pilot[None], screen: TuneScreen, **fields: str) -> None:
    for name, text in fields.items():
        found = screen.query_one(f"#{name.replace('_', '-')}")
        if isinstance(found, TextArea):
            found.load_text(text)
        else:
            assert isinstance(found, Input | Select)
            found.value = text
    await settled(pilot)


def said(screen: TuneScreen, name: str = "problem") -> str:
    return str(screen.query_one(f"#{name}", Static).content)


def told(pilot: Pilot[None]) -> list[str]:
    return [each.message for each in pilot.app._notifications]


async def begin(pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+s")
    await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")


def begun(location: StoreLocation) -> list[RunSpec]:
    with closing(connect_reader(location)) as con:
        (name,) = study_names(con)
        return [RunSpec.model_validate(each.spec) for each in trials_of(con, name)]
