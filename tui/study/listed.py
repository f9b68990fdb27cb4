"""The dialog that lists the studies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.lab import Lab
from tui.shell.standing import study_style
from tui.shell.text import PARAGRAPH, number, plain, shorten
from tui.study.reading import StudyFound, read_studies
from tui.widgets.dialog import Dialog
from tui.widgets.key_button import KeyButton
from tui.widgets.lines import fit

NONE = "There are no studies yet: t on Launch begins one, and so does `seqbench tune`."

_NAME, _STATE, _TRIALS = 40, 11, 9


def open_studies(app: Lab) -> None:
    """List the studies, once they are read, and show the one that is chosen."""

    def listed(found: tuple[list[StudyFound], list[str]]) -> None:
        studies, problems = found
        if studies or problems:
            app.push_screen(StudiesScreen(studies, problems), chosen)
        else:
            app.notify(NONE)

    def chosen(name: str | None) -> None:
        if name is not None:
            app.open_study(name)

    app.read_to_open(partial(read_studies, app.location), listed)


class StudiesScreen(ModalScreen["str | None"]):
    """Answers with a study's name, or None."""

    BINDINGS = [Binding("escape,q,T", "dismiss", "Close")]  # noqa: RUF012
    AUTO_FOCUS = "OptionList"
    DEFAULT_CSS = "StudiesScreen #problems { color: $text-muted; }"

    app: Lab

    def __init__(self, studies: Sequence[StudyFound], problems: Sequence[str]) -> None:
        super().__init__()
        self._studies, self._problems = studies, problems

    def compose(self) -> ComposeResult:
        keys = KeyButton("⏎", "Show", "choose", main=True), KeyButton("esc", "Close", "dismiss")
        with Dialog("Studies", *keys):
            yield OptionList(*(Option(_line(each)) for each in self._studies), markup=False)
            if self._problems:
                said = "\n".join(plain(problem, PARAGRAPH) for problem in self._problems)
                yield Static(said, id="problems", markup=False)

    def on_mount(self) -> None:
        if self._studies:
            self.query_one(OptionList).highlighted = 0

    def action_choose(self) -> None:
        """Answer with the study under the cursor."""
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._studies[event.option_index].name)


def _line(found: StudyFound) -> Content:
    """Write a study's name, state, trials and best figure; below it models and data set."""
    progress = found.progress
    models = ", ".join(plain(model.model) for model in progress.study.models)
    of = f"{models} · {plain(progress.first.dataset)} × {progress.first.length}"
    state = "training" if found.state.startswith("training") else found.state
    return Content.assemble(
        (fit(plain(found.name), _NAME), "bold"),
        " ",
        (fit(state, _STATE), study_style(found.state)),
        fit(f"{found.ended}/{progress.all_trials}", _TRIALS, ">"),
        f" {number(found.best_value):>8}\n  ",
        (shorten(of, _NAME + _STATE + _TRIALS + 8), "$text-muted"),
    )
