"""docs/words.md keeps one name for one thing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs" / "words.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


HELD = (
    "charts",
    "cli",
    "compare",
    "data",
    "dialogs",
    "launch",
    "live",
    "parts",
    "pivot",
    "results",
    "run",
    "shell",
    "study",
    "widgets",
)
"""Folders of the terminal."""


def banned() -> list[str]:
    """The phrases in code in the last column of the tables."""
    rows = [line.split("|")[1:-1] for line in LIST.read_text("utf-8").splitlines() if "|" in line]
    return [phrase for row in rows for phrase in re.findall(r"`([^`]+)`", row[-1])]


def pattern() -> re.Pattern[str]:
    phrases = (re.escape(phrase).replace(r"\ ", r"\s+") for phrase in banned())
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.I)


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """The literals of a module that may be shown, each with its line: all but docstrings, keys and
    ids."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    keys = {id(key) for node in ast.walk(tree) for key in _keys(node)}
    told = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else "{}" for v in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in told | keys
        ):
            yield node.lineno, node.value


def _keys(node: ast.AST) -> Iterator[ast.expr | None]:
    """The nodes under a node that name something for programs."""
    if isinstance(node, ast.Dict):
        yield from node.keys
    elif isinstance(node, ast.Subscript):
        yield node.slice
    elif isinstance(node, ast.keyword) and node.arg == "id":
        yield node.value
    elif isinstance(node, ast.Tuple) and node.elts and isinstance(node.elts[0], ast.Starred):
        yield from node.elts  # a key's path in a file, which continues another


@pytest.mark.parametrize("folder", ["engine", *(f"tui/{name}" for name in HELD)])
def test_no_string_has_another_word(folder: str) -> None:
    wrong = pattern()
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, text in strings(path)
        if wrong.search(text)
    ]
    assert sorted(set(found)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_has_another_word(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page == LIST:
        text = "\n".join(" | ".join(line.split("|")[:-2]) for line in text.splitlines())
    assert [found[0] for found in pattern().finditer(text)] == []


def test_the_list_is_read() -> None:
    assert len(banned()) > 30
    assert pattern().search("Read the\nfigures")
    assert not pattern().search("configures")
