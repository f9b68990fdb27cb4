"""The catalogue of data sets: where each one is or what fetching it takes, and its statistics."""

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

from tui.data.keys import DATA, JUDGE
from tui.data.words import Availability, Judged, Profile, described
from tui.shell.bindings import bindings_for
from tui.shell.keys import UNDO
from tui.shell.reading import Reading
from tui.shell.text import plain
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.spec import Dataset
    from tui.data.judge_reading import JudgingProcess
    from tui.lab import Lab


class DataScreen(Screen[str]):
    """Lists data sets and shows one of them; a large one is read when the user asks for it.

    Answers with the data set that the user wants to launch runs of.
    """

    AREA = "data"
    CSS_PATH = "screen.tcss"
    BINDINGS = bindings_for("data", (*DATA, UNDO))  # type: ignore[assignment]
    AUTO_FOCUS = "OptionList"

    app: Lab

    def __init__(self, catalogue: Catalogue, chosen: str | None = None) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._sets = [catalogue.datasets[name] for name in catalogue.dataset_order]
        self._chosen = chosen
        self._available: dict[str, Availability] = {}
        self._profiles: dict[str, Profile] = {}
        self._reasons: dict[str, str] = {}
        """Why there is no profile of a data set that is here."""
        self._availability_reading = Reading(
            self, self._take_available, partial(self.notify, severity="error")
        )
        self._profile_readings = {
            each.name: Reading(
                self, partial(self._take_profile, each.name), partial(self._take_reason, each.name)
            )
            for each in self._sets
        }
        """One for each data set, so that none waits for a large one, which takes minutes."""
        self._judged: dict[str, Judged] = {}
        self._judge_notes: dict[str, str] = {}
        """How far judging has come, or why it failed."""
        self._judged_readings = {
            each.name: Reading(
                self, partial(self._take_judged, each.name), partial(self._miss_judged, each.name)
            )
            for each in self._sets
        }
        self._judging: JudgingProcess | None = None
        self._judging_of: str | None = None
        """The data set that is being judged, one at a time."""
        self._left = False

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
        index = names.index(self._chosen) if self._chosen in names else 0
        self.query_one(OptionList).highlighted = index
        self._find()

    def on_unmount(self) -> None:
        """Stop judging: nobody waits for it any more."""
        self._left = True
        if self._judging is not None:
            self._judging.stop()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    @property
    def _current(self) -> Dataset:
        return self._sets[self.query_one(OptionList).highlighted or 0]

    def _option(self, dataset: Dataset) -> Option:
        found = self._available.get(dataset.name)
        mark = (f"{found.mark} ", found.style) if found else ("  ", "")
        return Option(Content.assemble(mark, (plain(dataset.name, 40), "")), id=dataset.name)

    def _find(self) -> None:
        sets = self._sets

        def read() -> dict[str, Availability]:
            from tui.data.reading import availability_of

            return {dataset.name: availability_of(dataset) for dataset in sets}

        self._availability_reading.ask(read)

    def _take_available(self, found: dict[str, Availability]) -> None:
        self._available = found
        options = self.query_one(OptionList)
        for dataset in self._sets:
            options.replace_option_prompt(dataset.name, self._option(dataset).prompt)
        self._look_into(asked=False)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self._look_into(asked=False)

    @on(OptionList.OptionSelected)
    async def _selected(self) -> None:
        self.action_use()

    def _look_into(self, asked: bool) -> None:
        """Show what is known about the data set under the cursor, and read the rest."""
        dataset = self._current
        name, found = dataset.name, self._available.get(dataset.name)
        known = name in self._profiles or (name in self._reasons and not asked)
        if found is not None and found.ready and not known:
            self._reasons[name] = "reading …"

            def read() -> Profile | None:
                from tui.data.profile_reading import profile_of

                return profile_of(dataset, asked)

            self._profile_readings[name].ask(read)
        self._show()
        self.query_one("#about").scroll_home(animate=False)

    def _take_profile(self, name: str, profile: Profile | None) -> None:
        if profile is not None:
            self._profiles[name] = profile
            self._read_judged(name)
        self._take_reason(name, "r reads it, which takes a while")

    def _take_reason(self, name: str, reason: str) -> None:
        self._reasons[name] = reason
        self._show()

    def _read_judged(self, name: str) -> None:
        dataset, catalogue, location = (
            self._catalogue.datasets[name],
            self._catalogue,
            self.app.location,
        )

        def read() -> Judged:
            from tui.data.judge_reading import judged

            return judged(dataset, location, catalogue)

        self._judged_readings[name].ask(read)

    def _take_judged(self, name: str, found: Judged) -> None:
        self._judged[name] = found
        self._judge_notes.pop(name, None)
        self._end_judging(name)

    def _miss_judged(self, name: str, why: str) -> None:
        self._judge_notes[name] = why
        self._judged.setdefault(name, Judged((), ""))
        self._end_judging(name)

    def _take_progress(self, name: str, done: int, total: int | None) -> None:
        if self._judging_of == name:
            of = f" of {total}" if total else ""
            self._judge_notes[name] = f"judging: {done}{of} fits; leaving this screen stops it"
            self._show()

    def _end_judging(self, name: str) -> None:
        if self._judging_of == name:
            self._judging = self._judging_of = None
        self._show()

    def _show(self) -> None:
        dataset = self._current
        about = self.query_one("#about")
        about.border_title = plain(dataset.name, 40)
        name = dataset.name
        width = (about.content_size.width or self.size.width - 34) - 1
        judged, key = self._judged.get(name), self.app.key_of(JUDGE)
        text = described(
            dataset,
            self._available.get(name),
            self._profiles.get(name),
            self._reasons.get(name, ""),
            width,
            list(judged.lines(key, self._judge_notes.get(name, ""), width)) if judged else (),
        )
        shown = self.query_one("#text", Static)
        if shown.content != text:
            shown.update(text)

    # Actions

    def action_use(self) -> None:
        """Leave the screen, to choose runs of the data set."""
        self.dismiss(self._current.name)

    def action_read(self) -> None:
        """Read the data set's statistics, fetching it first if it isn't here."""
        found = self._available.get(self._current.name)
        if found is not None and not found.ready:
            self.action_fetch()
        else:
            self._look_into(asked=True)

    def action_judge(self) -> None:
        """Judge whether the data set can tell models apart, in the background."""
        dataset, name = self._current, self._current.name
        known = self._judged.get(name)
        if self._judging_of is not None:
            self.notify(f"{self._judging_of} is being judged: one at a time.")
            return
        if known is None:
            ready = name in self._profiles
            why = "Still reading it." if ready else f"{name} is judged once it is here and read."
            self.notify(why)
            return
        if known.facts:
            self.notify(f"{name} is judged, and its data are the same.")
            return
        self._judging_of = name
        self._judge_notes[name] = "judging …"
        self._show()
        catalogue, location = self._catalogue, self.app.location

        def tell(done: int, total: int | None) -> None:
            self.call_later(self._take_progress, name, done, total)

        def read() -> Judged:
            from tui.data.judge_reading import judged, start_judging

            judging = self._judging = start_judging(dataset, location, catalogue)
            if self._left:
                judging.stop()
            judging.result(tell)
            return judged(dataset, location, catalogue)

        self._judged_readings[name].ask(read)

    def action_fetch(self) -> None:
        """Offer the download."""
        from tui.dialogs.fetch import FetchScreen

        dataset = self._current
        found = self._available.get(dataset.name)
        if found is None or found.ready:
            self.notify(f"{dataset.name} is ready." if found else "Still looking for it.")
        elif dataset.archive is None:
            self.notify(f"{dataset.name} can't be fetched: its note says how to get it.")
        else:
            self.app.push_screen(FetchScreen(dataset), self._fetched)

    def _fetched(self, ready: bool | None) -> None:
        if ready:
            self._find()

    def action_close(self) -> None:
        """Leave the screen."""
        self.dismiss()
