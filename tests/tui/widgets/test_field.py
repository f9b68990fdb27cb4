"""Fields do what is typed in its order, though all of it comes in one packet."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bursts import (
    BACKSPACE,
    CTRL_LEFT,
    CTRL_RIGHT,
    DELETE,
    END,
    ENTER,
    HOME,
    LEFT,
    REST,
    RIGHT,
    TO_END,
    TO_START,
    WORD,
    pasted,
    type_at_once,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.pilot import Pilot

import tui
from tui.widgets.field import Field
from tui.widgets.text_field import TextField

OURS = {"widgets/field.py", "widgets/text_field.py", "parts/palette.py"}
TEXTUALS = {"Input", "MaskedInput", "TextArea", "CommandInput", "CommandPalette"}

PASTES = st.text("ab 7,\n", max_size=5).map(pasted)
MOVES = (BACKSPACE, DELETE, REST, LEFT, RIGHT, HOME, END)
ONE_LINE = st.lists(
    st.one_of(
        st.sampled_from("abc7, _-"),
        st.sampled_from((*MOVES, CTRL_LEFT, CTRL_RIGHT, TO_START, TO_END, WORD)),
        PASTES,
    ),
    max_size=30,
)
LINES = st.lists(
    st.one_of(st.sampled_from("abc7,="), st.sampled_from((*MOVES, ENTER))), max_size=30
)


@dataclass
class Line:
    """What a person expects of a text with a cursor."""

    text: str = ""
    at: int = 0

    def type(self, key: str) -> None:
        start, end = self._line()
        match key:
            case _ if key == BACKSPACE:
                self._delete(self.at - 1, self.at)
            case _ if key in (DELETE, REST):
                self._delete(self.at, self.at + 1)
            case _ if key == LEFT:
                self.at = max(0, self.at - 1)
            case _ if key == RIGHT:
                self.at = min(len(self.text), self.at + 1)
            case _ if key == HOME:
                self.at = start
            case _ if key == END:
                self.at = end
            case _ if key == CTRL_LEFT:
                self.at = self._word_before()
            case _ if key == CTRL_RIGHT:
                after = [m.start() for m in WORDS.finditer(self.text) if m.start() > self.at]
                self.at = min(after, default=len(self.text))
            case _ if key == TO_START:
                self._delete(0, self.at)
            case _ if key == TO_END:
                self._delete(self.at, len(self.text))
            case _ if key == WORD:
                self._delete(self._word_before(), self.at)
            case _ if key == ENTER:
                self._insert("\n")
            case _ if key.startswith("\x1b[200~"):
                inside = key.removeprefix("\x1b[200~").removesuffix("\x1b[201~")
                self._insert(inside.split("\n")[0])
            case _:
                self._insert(key)

    def _line(self) -> tuple[int, int]:
        end = self.text.find("\n", self.at)
        return self.text.rfind("\n", 0, self.at) + 1, len(self.text) if end < 0 else end

    def _word_before(self) -> int:
        return max((m.start() for m in WORDS.finditer(self.text) if m.start() < self.at), default=0)

    def _insert(self, text: str) -> None:
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)

    def _delete(self, start: int, end: int) -> None:
        start = max(0, start)
        self.text = self.text[:start] + self.text[end:]
        self.at = start


WORDS = re.compile(r"(?<=\W)\w")
"""Where words begin, but for one at the beginning of the line."""


class Fields(App[None]):
    """One field of each kind, and what was submitted."""

    def __init__(self) -> None:
        super().__init__()
        self.submitted: list[str] = []

    def compose(self) -> ComposeResult:
        yield Field()
        yield TextField()

    def on_input_submitted(self, event: Field.Submitted) -> None:
        self.submitted.append(event.value)


class Stage:
    """An app that goes on through many examples."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.app = Fields()
        self._test = self.app.run_test()
        self._pilot: Pilot[None] = self._runner.run(self._test.__aenter__())

    def end(self) -> None:
        self._runner.run(self._test.__aexit__(None, None, None))
        self._runner.close()

    def type(self, field: Field | TextField, sent: str) -> None:
        """Type in a field that is emptied before."""

        async def typed() -> None:
            field.clear()
            field.focus()
            await self._pilot.pause()
            type_at_once(self.app, sent)
            await self._pilot.pause()

        self._runner.run(typed())


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.end()


def test_characters_and_editing_keys_of_one_packet_keep_their_order(stage: Stage) -> None:
    field = stage.app.query_one(Field)
    stage.type(field, f"56{BACKSPACE}0,78{BACKSPACE}5")
    assert field.value == "50,75"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=ONE_LINE)
def test_a_burst_edits_a_line_as_expected(stage: Stage, keys: list[str]) -> None:
    field, line = stage.app.query_one(Field), Line()
    for key in keys:
        line.type(key)
    stage.app.submitted.clear()
    stage.type(field, "".join(keys) + ENTER)
    assert (field.value, field.cursor_position) == (line.text, line.at)
    assert stage.app.submitted == [line.text]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(keys=LINES)
def test_a_burst_edits_several_lines_as_expected(stage: Stage, keys: list[str]) -> None:
    field, lines = stage.app.query_one(TextField), Line()
    for key in keys:
        lines.type(key)
    stage.type(field, "".join(keys))
    row, column = field.cursor_location
    before = "\n".join([*lines.text.split("\n")[:row], ""])
    assert (field.text, len(before) + column) == (lines.text, lines.at)


def test_no_field_of_textual_is_used_as_it_is() -> None:
    """Those lose the order; their names are known only where ours are made of them."""
    root = Path(tui.__file__).parent
    found = {
        f"{path.relative_to(root)}: {name.name}"
        for path in root.rglob("*.py")
        if str(path.relative_to(root)) not in OURS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textual")
        for name in node.names
        if name.name in TEXTUALS
    }
    # A name in an annotation makes nothing.
    assert found - {"shell/private.py: CommandPalette"} == set()
