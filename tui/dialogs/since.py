"""The dialog that lists what ended while the user was away."""

from __future__ import annotations

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.store.news import EndedRun
from tui.dialogs.news import News
from tui.lab import Lab
from tui.shell.states import glyph, style_variable
from tui.shell.text import PARAGRAPH, ago, number, plain, run_label, shorten
from tui.widgets.dialog import Dialog
from tui.widgets.key_button import KeyButton
from tui.widgets.lines import fit

KINDS = {"done": "finished", "diverged": "diverged", "failed": "failed", "lost": "lost"}
"""Words for each `EndedRun.kind`, in the order of the summary."""

_LABEL, _FIGURE, _AGO = 37, 16, 10
ROW = _LABEL + _FIGURE + _AGO + 5
"""Terminal cells of a line."""


def summary(counts: Mapping[str, int]) -> str:
    """Write ``12 finished · 1 diverged``."""
    return " · ".join(text for _, text in _counted(counts))


class SinceScreen(ModalScreen[None]):
    """Lists the runs that ended; each can be opened."""

    BINDINGS = [Binding("escape,q", "dismiss", "Close")]  # noqa: RUF012
    AUTO_FOCUS = "OptionList"
    DEFAULT_CSS = """
    SinceScreen {
        OptionList { margin-top: 1; }
        #more { color: $text-muted; }
    }
    """

    app: Lab

    def __init__(self, news: News) -> None:
        super().__init__()
        self._news = news

    def compose(self) -> ComposeResult:
        news = self._news
        keys = KeyButton("⏎", "Open", "open", main=True), KeyButton("esc", "Close", "dismiss")
        with Dialog(f"Since you left, {ago(news.since, news.now)}", *keys):
            parts = [
                Content.styled(f"{glyph(_state(kind))} {text}", _style(kind))
                for kind, text in _counted(news.counts)
            ]
            yield Static(Content("   ").join(parts))
            options = (
                Option(_row(run, news.labels.get(run.id, ""), news.now), id=run.id)
                for run in news.runs
            )
            yield OptionList(*options, markup=False)
            hidden = sum(news.counts.values()) - len(news.runs)
            if hidden > 0:
                yield Static(f"and {hidden:,} more: press 3 to compare them", id="more")

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    def action_open(self) -> None:
        """Open the run under the cursor."""
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _open(self, event: OptionList.OptionSelected) -> None:
        if event.option_id is not None:
            self.app.open_run(event.option_id)


def _counted(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Each kind of end that occurred, and words such as ``12 finished``."""
    return [(kind, f"{counts[kind]:,} {said}") for kind, said in KINDS.items() if counts.get(kind)]


def _row(run: EndedRun, label: str, now: float) -> Content:
    """Write which run ended, how well and when; below it, what went wrong.

    Args:
        label: what tells its settings from those of others.
    """
    style = _style(run.kind)
    if run.state == "done":
        split, best = (
            ("valid", run.best_valid_ndcg)
            if run.best_test_ndcg is None
            else ("test", run.best_test_ndcg)
        )
        said, said_style = f"{split} NDCG {number(best)}", ""
    else:
        said, said_style = KINDS.get(run.kind, plain(run.kind)), style
    line = Content.assemble(
        (f"{glyph(run.state)} ", style),
        fit(run_label(run, _LABEL, label), _LABEL),
        " ",
        (fit(said, _FIGURE), said_style),
        " ",
        (fit(ago(run.finished, now), _AGO, ">"), "$text-muted"),
    )
    why = plain(run.message or run.cause or "", PARAGRAPH) if run.state != "done" else ""
    if not why:
        return line
    return Content.assemble(line, "\n  ", (shorten(why, ROW - 3), "$text-muted"))


def _state(kind: str) -> str:
    return "failed" if kind == "diverged" else kind


def _style(kind: str) -> str:
    return style_variable(_state(kind))
