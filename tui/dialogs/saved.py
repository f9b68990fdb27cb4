"""Saving an entry of the user's configuration under a name, and choosing one by its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.config import EntryExistsError, user_layer
from engine.errors import UserError
from tui.dialogs.ask import AskScreen
from tui.lab import Lab
from tui.shell.text import PARAGRAPH, plain, short_path
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton
from tui.widgets.yaml_text import yaml_text


class Saving(Protocol):
    """What is saved: a suite, a view.

    Attributes:
        kind: what it is, such as ``suite``.
        folder: of its kind in a layer of configuration.
        name: what it is called at first.
        with_title: whether it has a title too.
    """

    @property
    def kind(self) -> str: ...
    @property
    def folder(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def with_title(self) -> bool: ...

    def yaml(self, name: str, title: str) -> str:
        """Write it as YAML. Raises `UserError`: the name is invalid."""

    def taken(self, name: str) -> bool:
        """Whether there is one of that name."""

    def write(self, name: str, title: str, replace: bool) -> Path:
        """Write its file, in a thread. Raises `UserError`, of these `EntryExistsError`."""

    def written(self) -> None:
        """Apply what was written, in the app's thread."""


class SaveScreen(ModalScreen[str]):
    """Answers with the name of the entry that was written."""

    CSS_PATH = "saved.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("enter", "save", "Save"),
        Binding("escape", "dismiss", "Back"),
    ]
    AUTO_FOCUS = "#name"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-tall")]  # noqa: RUF012

    app: Lab

    def __init__(self, saving: Saving) -> None:
        super().__init__()
        self._saving = saving

    def compose(self) -> ComposeResult:
        saving = self._saving
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = f"Save as a {saving.kind}"
            yield Static("Name", classes="muted")
            yield Field(saving.name, id="name", compact=True, placeholder=f"my-{saving.kind}")
            if saving.with_title:
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

    @property
    def _typed(self) -> tuple[str, str]:
        """Name and title."""
        fields = {field.id: field.value.strip() for field in self.query(Field)}
        return fields["name"], fields.get("title", "")

    def _show(self) -> None:
        name, title = self._typed
        try:
            text = self._saving.yaml(name, title)
            path = user_layer(self.app.config_dir) / self._saving.folder / f"{name}.yaml"
        except UserError as error:
            self._tell(str(error) if name else "")
            self.query_one("#yaml-room").display = False
            return
        self.query_one("#yaml-room").display = True
        self.query_one("#yaml", Static).update(yaml_text(text))
        words = short_path(path, 66)
        if self._saving.taken(name):
            words = "this name is taken: you are asked before it is replaced"
        self.query_one("#where", Static).update(plain(words))
        self._tell("")

    def _tell(self, problem: str) -> None:
        line = self.query_one("#problem", Static)
        line.update(plain(problem, PARAGRAPH))
        line.display = bool(problem)
        self.query_one("#where").display = not problem

    def action_save(self) -> None:
        """Write the entry, unless the name is taken."""
        name, title = self._typed
        try:
            self._saving.yaml(name, title)
        except UserError as error:
            self._tell(str(error))
        else:
            self._save(name, title, replace=False)

    def _save(self, name: str, title: str, *, replace: bool) -> None:
        def write() -> Path | EntryExistsError:
            try:
                return self._saving.write(name, title, replace)
            except EntryExistsError as error:
                return error

        def done(found: Path | EntryExistsError) -> None:
            if isinstance(found, EntryExistsError):
                self._ask(name, title, found.path)
                return
            self._saving.written()
            self.app.notify(f"Saved {short_path(found, 60)}.")
            if self.is_active:  # else the user has left, and another screen would be closed
                self.dismiss(name)

        self.app.carry_out(write, done, self._tell, leads=True)

    def _ask(self, name: str, title: str, path: Path) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._save(name, title, replace=True)

        question = f"{short_path(path, 60)} exists. Replace it?"
        self.app.push_screen(AskScreen("Replace", question, "Replace"), answered)


class ChooseScreen(ModalScreen[str]):
    """Answers with the name of the entry that is chosen.

    Args:
        kind: what the entries are, such as ``suite``.
        entries: their names, each with its lines.
        chosen: the one under the cursor at first.
    """

    CSS_PATH = "saved.tcss"
    BINDINGS = [Binding("escape", "dismiss", "Back")]  # noqa: RUF012
    AUTO_FOCUS = "OptionList"

    def __init__(
        self, kind: str, entries: Sequence[tuple[str, Content]], chosen: str | None
    ) -> None:
        super().__init__()
        self._kind, self._entries, self._chosen = kind, entries, chosen

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = f"Load a {self._kind}"
            yield OptionList(
                *(Option(lines, id=name) for name, lines in self._entries),
                compact=True,
                markup=False,
            )
            with Horizontal(classes="buttons"):
                yield KeyButton("⏎", "Load", "load", main=True)
                yield KeyButton("esc", "Back", "dismiss")

    def on_mount(self) -> None:
        names = [name for name, _ in self._entries]
        options = self.query_one(OptionList)
        options.highlighted = names.index(self._chosen) if self._chosen in names else 0

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_load(self) -> None:
        """Answer with the entry under the cursor."""
        self.query_one(OptionList).action_select()
