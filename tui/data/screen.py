"""The catalogue of data sets: where each is or what it costs, and what it is like."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.data.keys import DATA
from tui.data.words import Look, Place, described
from tui.shell.bindings import bindings_for
from tui.shell.reading import Reading
from tui.shell.text import plain
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.spec import Dataset
    from tui.lab import Lab


class DataScreen(Screen[None]):
    """A list of data sets, and one of them. A large one is read when that is asked for."""

    AREA = "data"
    CSS_PATH = "screen.tcss"
    BINDINGS = bindings_for("data", DATA)  # type: ignore[assignment]
    AUTO_FOCUS = "OptionList"

    app: Lab

    def __init__(self, catalogue: Catalogue, chosen: str | None = None) -> None:
        super().__init__()
        self._sets = [catalogue.datasets[name] for name in catalogue.dataset_order]
        self._chosen = chosen
        self._places: dict[str, Place] = {}
        self._looks: dict[str, Look] = {}
        self._states: dict[str, str] = {}
        """Why there is no look at a data set that is here."""
        self._place_reading = Reading(self, self._take_places, self._fail)
        self._look_readings = {
            each.name: Reading(
                self, partial(self._take_look, each.name), partial(self._take_state, each.name)
            )
            for each in self._sets
        }
        """One each: a large one takes minutes, which the others don't wait for."""

    def compose(self) -> ComposeResult:
        yield Header("launch")
        with Horizontal(id="body"):
            sets = OptionList(*map(self._option, self._sets), id="sets", classes="panel")
            sets.border_title = "Data sets"
            yield sets
            with VerticalScroll(id="about", classes="panel") as about:
                about.border_title = "About"
                yield Static(id="text", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        names = [dataset.name for dataset in self._sets]
        place = names.index(self._chosen) if self._chosen in names else 0
        self.query_one(OptionList).highlighted = place
        self._find()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    @property
    def _current(self) -> Dataset:
        return self._sets[self.query_one(OptionList).highlighted or 0]

    def _option(self, dataset: Dataset) -> Option:
        place = self._places.get(dataset.name)
        mark = (f"{place.mark} ", place.style) if place else ("  ", "")
        return Option(Content.assemble(mark, (plain(dataset.name, 40), "")), id=dataset.name)

    def _find(self) -> None:
        sets = self._sets

        def read() -> dict[str, Place]:
            from tui.data.reading import place_of

            return {dataset.name: place_of(dataset) for dataset in sets}

        self._place_reading.ask(read)

    def _fail(self, sentence: str) -> None:
        self.notify(sentence, severity="error")

    def _take_places(self, places: dict[str, Place]) -> None:
        self._places = places
        options = self.query_one(OptionList)
        for dataset in self._sets:
            options.replace_option_prompt(dataset.name, self._option(dataset).prompt)
        self._look(asked=False)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self._look(asked=False)

    @on(OptionList.OptionSelected)
    async def _selected(self) -> None:
        self.action_read()

    def _look(self, asked: bool) -> None:
        """Show what is known of the data set under the cursor, and find out the rest."""
        dataset = self._current
        name, place = dataset.name, self._places.get(dataset.name)
        known = name in self._looks or (name in self._states and not asked)
        if place is not None and place.ready and not known:
            self._states[name] = "reading …"
            self._read(dataset, asked)
        self._show()
        self.query_one("#about").scroll_home(animate=False)

    def _read(self, dataset: Dataset, asked: bool) -> None:
        def read() -> Look | None:
            from tui.data.look_reading import look_into

            return look_into(dataset, asked)

        self._look_readings[dataset.name].ask(read)

    def _take_look(self, name: str, look: Look | None) -> None:
        if look is not None:
            self._looks[name] = look
        self._take_state(name, "enter reads it, which takes a while")

    def _take_state(self, name: str, state: str) -> None:
        self._states[name] = state
        self._show()

    def _show(self) -> None:
        dataset = self._current
        about = self.query_one("#about")
        about.border_title = plain(dataset.name, 40)
        name = dataset.name
        text = described(
            dataset,
            self._places.get(name),
            self._looks.get(name),
            self._states.get(name, ""),
            (about.content_size.width or self.size.width - 34) - 1,
        )
        shown = self.query_one("#text", Static)
        if shown.content != text:
            shown.update(text)

    # Actions

    def action_read(self) -> None:
        """Work out the figures of the data set; fetch it first where it isn't here."""
        place = self._places.get(self._current.name)
        if place is not None and not place.ready:
            self.action_fetch()
        else:
            self._look(asked=True)

    def action_fetch(self) -> None:
        """Offer the download."""
        from tui.dialogs.fetch import FetchScreen

        dataset = self._current
        place = self._places.get(dataset.name)
        if place is None or place.ready:
            self.notify(f"{dataset.name} is ready." if place else "Still looking for it.")
        elif dataset.archive is None:
            self.notify(f"{dataset.name} isn't fetched: its note says how to get it.")
        else:
            self.app.push_screen(FetchScreen(dataset), self._fetched)

    def _fetched(self, ready: bool | None) -> None:
        if ready:
            self._find()

    def action_close(self) -> None:
        """Back."""
        self.dismiss()
