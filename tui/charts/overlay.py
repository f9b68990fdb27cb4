"""The dialog that chooses the runs to overlay."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.charts.reading import Run, find_companions
from tui.charts.specs import MOST_RUNS
from tui.lab import Lab
from tui.shell.reading import Reading
from tui.shell.states import glyph, style_variable
from tui.shell.text import PARAGRAPH, ago, number, plain, run_label
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton
from tui.widgets.lines import fit


class OverlayScreen(ModalScreen[tuple[str, ...]]):
    """A dialog that answers with the ids of the chosen runs.

    Args:
        run_id: The run that they are overlaid on; runs like it are offered first.
        chosen: Those that are overlaid now.
    """

    CSS_PATH = "overlay.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "done", "Done"),
        Binding("down", "move(1)", "Next", show=False),
        Binding("up", "move(-1)", "Previous", show=False),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
        Binding("ctrl+n", "clear", "None"),
    ]

    app: Lab
    runs = getters.query_one(OptionList)

    def __init__(self, run_id: str, chosen: Sequence[str]) -> None:
        super().__init__()
        self._run_id = run_id
        self._chosen = dict.fromkeys(chosen)
        self._runs: Sequence[tuple[Run, str]] = ()
        """Those offered, each with what tells its settings from those of the others."""
        self._entered = False
        """Whether enter waits for the runs that fit what was typed before it."""
        self._reading = Reading(self, self._take, self._fail)

    def compose(self) -> ComposeResult:
        keys = (
            KeyButton("⏎", "Choose", "choose", main=True),
            KeyButton("^n", "None", "clear"),
            KeyButton("esc", "Done", "done"),
        )
        with Dialog("Overlay runs", *keys):
            yield Field(placeholder="words: model, data set, L50, s42, state …")
            yield OptionList(id="runs", compact=True, markup=False)
            yield Static(id="said", markup=False)

    def on_mount(self) -> None:
        self.query_one("#runs").can_focus = False
        self._say()
        self._find(())

    @on(Field.Changed)
    def _typed(self, event: Field.Changed) -> None:
        self._entered = False
        self._find(tuple(plain(event.value, 200).split()))

    def _find(self, words: tuple[str, ...]) -> None:
        find = partial(find_companions, self.app.location, self._run_id, words, self.app.catalogue)
        self._reading.ask(find, subject=words)

    def _take(self, found: Sequence[tuple[Run, str]]) -> None:
        self._show(found)
        self._say()
        if self._entered:
            self.action_choose()

    def _fail(self, problem: str) -> None:
        self._entered = False
        self._show(())
        self._say(plain(problem, PARAGRAPH))

    def _show(self, found: Sequence[tuple[Run, str]]) -> None:
        self._runs = found
        self.runs.set_options([Option(self._line(*each), id=each[0].id) for each in found])
        if found:
            self.runs.highlighted = 0

    def _line(self, run: Run, label: str) -> Content:
        mark = ("✓ ", "$accent") if run.id in self._chosen else ("  ", "")
        return Content.assemble(
            mark,
            (f"{glyph(run.state)} ", style_variable(run.state)),
            f"{fit(run_label(run, 34, label), 34)} ",
            (f"{number(run.best_valid_ndcg):>8} ", ""),
            (f"{short_id(run)}  {ago(run.started)}", "$text-muted"),
        )

    def _say(self, problem: str = "") -> None:
        selected = f"{len(self._chosen)} selected, of at most {MOST_RUNS - 1}"
        if not self._runs:
            typed = self.query_one(Field).value
            nothing = "No other run matches." if typed else "No other run has trained yet."
            selected = f"{nothing} {selected}" if self._chosen else nothing
        text = problem or selected
        self.query_one("#said", Static).update(text)

    # Actions

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines."""
        if self._runs:
            at = (self.runs.highlighted or 0) + lines
            self.runs.highlighted = min(max(at, 0), len(self._runs) - 1)

    @on(Field.Submitted)
    def action_choose(self) -> None:
        """Choose the run under the cursor or drop it, once the search has listed its runs."""
        self._entered = self._reading.busy
        if self._entered:
            return
        at = self.runs.highlighted
        if at is not None and at < len(self._runs):
            self._toggle(at)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self._toggle(event.option_index)

    def _toggle(self, at: int) -> None:
        run, label = self._runs[at]
        if run.id in self._chosen:
            del self._chosen[run.id]
        elif len(self._chosen) == MOST_RUNS - 1:
            self.notify(f"At most {MOST_RUNS} runs can be shown at once.", timeout=3)
            return
        else:
            self._chosen[run.id] = None
        self.runs.replace_option_prompt_at_index(at, self._line(run, label))
        self._say()

    def action_clear(self) -> None:
        """Choose none."""
        self._chosen.clear()
        for at, each in enumerate(self._runs):
            self.runs.replace_option_prompt_at_index(at, self._line(*each))
        self._say()

    def action_done(self) -> None:
        """Go back with what is chosen."""
        self.dismiss(tuple(self._chosen))


def short_id(run: Run) -> str:
    """The end of a run's id, which is enough for commands."""
    return plain(run.id[-5:])
