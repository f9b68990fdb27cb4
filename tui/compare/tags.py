"""One line to type: the tags of runs."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.errors import UsageError
from engine.store.tags import check_tags
from tui.shell.text import PARAGRAPH, count, plain


class TagsScreen(ModalScreen["tuple[str, ...] | None"]):
    """Answers with the tags that all the runs shall have, or None if they stay as they are."""

    BINDINGS = [Binding("escape", "back", "Back")]  # noqa: RUF012
    DEFAULT_CSS = """
    TagsScreen .dialog { height: auto; }
    TagsScreen Static { height: auto; color: $text-muted; margin-top: 1; }
    TagsScreen .-wrong { color: $warning; }
    """
    _HINT = "Blanks between them; tag:paper then finds the runs."

    def __init__(self, common: Sequence[str], runs: int) -> None:
        super().__init__()
        self._common = tuple(common)
        self._runs = runs

    def compose(self) -> ComposeResult:
        many = self._runs > 1
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = f"Tags of {count(self._runs, 'run')}" if many else "Tags"
            dialog.border_subtitle = "⏎ keep   esc back"
            text = plain(" ".join(self._common))
            yield Input(text, placeholder="paper ablation best", max_length=400)
            shared = " Those that all the runs have are shown." if many else ""
            yield Static(self._HINT + shared, markup=False)

    @property
    def _words(self) -> list[str]:
        return self.query_one(Input).value.replace(",", " ").replace("#", " ").split()

    @on(Input.Changed)
    def _changed(self) -> None:
        self._check()

    def _check(self) -> tuple[str, ...] | None:
        hint = self.query_one(Static)
        try:
            tags = check_tags(self._words)
        except UsageError as error:
            hint.update(plain(str(error), PARAGRAPH))
            hint.add_class("-wrong")
            return None
        if hint.has_class("-wrong"):
            hint.update(self._HINT)
            hint.remove_class("-wrong")
        return tags

    @on(Input.Submitted)
    def _submitted(self) -> None:
        tags = self._check()
        if tags is not None:
            self.dismiss(tags if tags != self._common else None)

    def action_back(self) -> None:
        """Leave them as they were."""
        self.dismiss(None)
