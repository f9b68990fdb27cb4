"""Suites from the Launch screen: save what is selected as one, and choose one to load."""

from __future__ import annotations

from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.config import Catalogue, load_catalogue, user_layer
from engine.config.suites import SuiteExistsError, save_suite, suite_yaml
from engine.errors import UserError
from engine.order import Order
from engine.planning import order_suite
from engine.spec import Suite
from tui.dialogs.ask import AskScreen
from tui.lab import Lab
from tui.launch.words import yaml_text
from tui.shell.text import PARAGRAPH, TITLE, count, plain, short_path
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton


class SaveSuiteScreen(ModalScreen[str]):
    """Answers with the name of the suite that was written."""

    CSS_PATH = "suites.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("enter", "save", "Save"),
        Binding("escape", "dismiss", "Back"),
    ]
    AUTO_FOCUS = "#name"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-tall")]  # noqa: RUF012

    app: Lab

    def __init__(self, catalogue: Catalogue, order: Order) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._order = order

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = "Save as a suite"
            yield Static("Name", classes="muted")
            yield Field(self._order.suite or "", id="name", compact=True, placeholder="my-suite")
            yield Static("Title", classes="muted")
            yield Field("", id="title", compact=True, max_length=200)
            yield Static("", id="where", markup=False)
            yield Static("", id="problem", markup=False)
            with VerticalScroll(id="yaml-room", can_focus=False):
                yield Static("", id="yaml", markup=False)
            with Horizontal(classes="buttons"):
                yield KeyButton("⏎", "Save", "save", main=True)
                yield KeyButton("esc", "Back", "dismiss")

    def on_mount(self) -> None:
        self._show()

    def on_input_changed(self) -> None:
        """Show the file as it would be, or what is wrong with the name."""
        self._show()

    def on_input_submitted(self) -> None:
        self.action_save()

    def _suite(self) -> Suite:
        """Make the suite as it is named. Raises `UsageError`."""
        name, title = (self.query_one(f"#{field}", Field).value.strip() for field in _FIELDS)
        return order_suite(self._catalogue, self._order, name, title)

    def _show(self) -> None:
        name = self.query_one("#name", Field).value.strip()
        try:
            suite = self._suite()
            path = user_layer(self.app.config_dir) / "suites" / f"{suite.name}.yaml"
        except UserError as error:
            self._tell(str(error) if name else "")
            return
        self.query_one("#yaml", Static).update(yaml_text(suite_yaml(suite)))
        taken = suite.name in self._catalogue.suites
        words = (
            "this name is taken: you are asked before it is replaced"
            if taken
            else short_path(path, 66)
        )
        self.query_one("#where", Static).update(plain(words))
        self._tell("")

    def _tell(self, problem: str) -> None:
        line = self.query_one("#problem", Static)
        line.update(plain(problem, PARAGRAPH))
        line.display = bool(problem)
        self.query_one("#where").display = not problem

    def action_save(self) -> None:
        """Write the suite, unless the name is taken."""
        try:
            suite = self._suite()
        except UserError as error:
            self._tell(str(error))
        else:
            self._save(suite, replace=False)

    @work(thread=True, group="save", exclusive=True)
    def _save(self, suite: Suite, replace: bool) -> None:
        try:
            path = save_suite(self._catalogue, suite, self.app.config_dir, replace)
            catalogue = load_catalogue(self.app.config_dir)
        except SuiteExistsError as error:
            self.call_later(self._ask, suite, error.path)
        except UserError as error:
            self.call_later(self._tell, str(error))
        else:
            self.call_later(self._saved, catalogue, suite, path)

    def _ask(self, suite: Suite, path: Path) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._save(suite, replace=True)

        question = f"{short_path(path, 60)} exists. Replace it?"
        self.app.push_screen(AskScreen("Replace", question, "Replace"), answered)

    def _saved(self, catalogue: Catalogue, suite: Suite, path: Path) -> None:
        self.app.take_catalogue(catalogue)
        self.app.notify(f"Saved {short_path(path, 60)}.")
        self.dismiss(suite.name)


_FIELDS = ("name", "title")


class LoadSuiteScreen(ModalScreen[str]):
    """Answers with the name of a suite."""

    CSS_PATH = "suites.tcss"
    BINDINGS = [Binding("escape", "dismiss", "Back")]  # noqa: RUF012
    AUTO_FOCUS = "OptionList"

    def __init__(self, catalogue: Catalogue, chosen: str | None) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = "Load a suite"
            yield OptionList(
                *(Option(self._line(each), id=each.name) for each in self._suites()),
                compact=True,
                markup=False,
            )
            with Horizontal(classes="buttons"):
                yield KeyButton("⏎", "Load", "load", main=True)
                yield KeyButton("esc", "Back", "dismiss")

    def on_mount(self) -> None:
        names = [suite.name for suite in self._suites()]
        options = self.query_one(OptionList)
        options.highlighted = names.index(self._chosen) if self._chosen in names else 0

    def _suites(self) -> list[Suite]:
        return list(self._catalogue.suites.values())

    def _line(self, suite: Suite) -> Content:
        runs = self._catalogue.run_count(suite)
        return Content.assemble(
            (plain(suite.name, TITLE), "bold"),
            (f"  {count(runs, 'run')}\n", "$accent"),
            (f"  {plain(suite.title, 68)}", "$text-muted"),
        )

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_load(self) -> None:
        """Answer with the suite under the cursor."""
        self.query_one(OptionList).action_select()
