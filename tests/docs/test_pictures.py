"""The pictures of the README and the tour show today's app, as far as that can be told from the
words in them."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections import defaultdict
from functools import cache
from html import unescape
from pathlib import Path

import pytest

from tui.keys import ACTIONS
from tui.shell.action import actions_for, key_text

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
TEXT = re.compile(r'<text [^>]*?x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>')
TITLE = re.compile(r"[╭╰]─+ ([^─╮╯]+?) ─|─ ([^─╮╯]+?) ─*[╮╯]")
SCREENS = {
    "launch": "launch", "confirm": "launch", "since": "launch",
    "live": "live", "leave": "live", "chart": "chart",
    "compare": "compare", "export": "compare", "diff": "compare",
}  # fmt: skip
"""Pictures of the app, each with the screen whose key bar is at its bottom."""
COVERED = ("diff",)
"""Pictures in which a dialog covers a part of the key bar."""


def rows(picture: str) -> list[str]:
    """The picture's lines of text, from top to bottom."""
    found: dict[float, list[tuple[float, str]]] = defaultdict(list)
    for x, y, text in TEXT.findall((PICTURES / f"{picture}.svg").read_text(encoding="utf-8")):
        found[float(y)].append((float(x), unescape(text).replace("\xa0", " ")))
    return ["".join(text for _, text in sorted(found[y])) for y in sorted(found)]


@cache
def literals() -> str:
    """Every string of the app, a line each."""
    return "\n".join(
        node.value
        for path in (ROOT / "tui").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@pytest.mark.parametrize("picture", [name for name in SCREENS if name not in COVERED])
def test_a_key_bar_has_todays_keys_and_labels(picture: str) -> None:
    actions = [*actions_for(SCREENS[picture], ACTIONS), *actions_for("app", ACTIONS)]
    known = sorted({f"{key_text(action)} {action.label}" for action in actions}, key=len)
    above, last = rows(picture)[-2:]
    assert "? Help" in last
    assert rest(last, known) == ""
    assert rest(above, known) in ("", above)  # a bar of one line has something else above it


def rest(row: str, known: list[str]) -> str:
    """What is left of a line without the known entries, the longest taken out first."""
    left = row
    for entry in reversed(known):
        left = left.replace(entry, "")
    return left if left.strip() else ""


@pytest.mark.parametrize("picture", SCREENS)
def test_titles_are_todays(picture: str) -> None:
    found = {one or other for row in rows(picture) for one, other in TITLE.findall(row)}
    titles = {title.removeprefix("⏎ ") for title in found}  # a key is written as the user has it
    fixed = {title for title in titles if "·" not in title and not re.search(r"\d", title)}
    texts = literals()
    assert [title for title in sorted(fixed) if title not in texts] == []


def test_the_command_draws_every_picture_of_the_app_and_pages_show_them() -> None:
    place = ROOT / "docs" / "make_pictures.py"
    spec = importlib.util.spec_from_file_location("make_pictures", place)
    assert spec is not None
    assert spec.loader is not None
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    assert {step.__name__ for step in drawing.STEPS} == set(SCREENS)
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    shown = set(re.findall(r"pictures/([\w-]+)\.svg", text))
    assert shown == {path.stem for path in PICTURES.glob("*.svg")}
    assert set(SCREENS) <= shown
