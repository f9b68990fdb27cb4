"""What is true of one model is said in its file: specification, store and app know none by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.modelinfo import builtin_infos

ROOT = Path(__file__).parents[3]
FOLDERS = ("engine/spec", "engine/config", "engine/planning", "engine/store", "tui")

DISTINCT = {
    name
    for info in builtin_infos().values()
    if re.search(r".[A-Z0-9]", info.title)  # no word of English
    for name in (info.name, info.title, *info.aliases)
}
NAMES = {name.lower() for name in DISTINCT}
# A filter that is typed may name any model: as an example, it isn't knowledge of one.
NAMED = re.compile(rf"(?<!model[:=])\b({'|'.join(map(re.escape, sorted(DISTINCT)))})\b")


def named(source: str) -> Iterator[tuple[int, str]]:
    """Yield the strings that name a model, each with its line; what is a docstring is none."""
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in docs:
                if text.lower() in NAMES or NAMED.search(text):
                    yield node.lineno, text


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_model_is_named(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    found = [(str(file), *each) for file in files for each in named(file.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""SASRec is one."""\nx = 1', 0),
        ("x = 'sasrec'", 1),
        ("x = 'BERT4Rec is bidirectional'", 1),
        ("x = f'{y} of xlstm'", 1),
        ("x = 'model:sasrec ndcg>0.1'", 0),
        ("x = 'sasrecs'", 0),
    ],
)
def test_how_names_are_found(source: str, found: int) -> None:
    assert len(list(named(source))) == found
