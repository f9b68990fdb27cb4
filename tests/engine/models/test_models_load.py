"""Loading a model's file: what it defines, and sentences about what is wrong with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine.models.load import ModelFileError, load_definition

MINE = """\
from engine.models import Definition, FittedModel, ModelSettings

class Settings(ModelSettings):
    width: int = 3

class Mine(FittedModel):
    def __init__(self, settings: Settings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items, self.length = num_items, length

    def fit(self, train):
        pass

    def scores(self, items, times=None):
        return items.new_zeros(len(items), self.num_items + 1).float()

MODEL = Definition(title="Mine", settings=Settings, module=Mine)
"""


def test_a_file_is_run_under_a_name_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "json.py"
    file.write_text(MINE)
    before = sys.modules["json"]
    definition = load_definition(file)
    assert (definition.title, definition.kind) == ("Mine", "fitted")
    assert definition.build({"width": 4}, 5, 6).num_items == 5
    assert sys.modules["json"] is before


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1\n", ": defines no model: it needs MODEL = Definition(...)."),
        ("MODEL = 3\n", ": defines no model: it needs MODEL = Definition(...)."),
        ("x = 1\ndef f(:\n", ":2: invalid syntax."),
        ("\nimport no_such_package\n", ":2: ModuleNotFoundError: No module named 'no_such"),
        ("def f():\n    return 1 / 0\n\nf()\n", ":2: ZeroDivisionError: division by zero."),
        ("import json\n\njson.loads('{')\n", ":3: JSONDecodeError: Expecting"),
        ("raise SystemExit\n", ":1: SystemExit:"),
        (None, ": No such file or directory."),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, text: str | None, problem: str) -> None:
    file = tmp_path / "mine.py"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ModelFileError) as error:
        load_definition(file)
    assert str(error.value).startswith(f"{file}{problem}")


def test_a_file_that_changed_is_run_as_it_is_now(tmp_path: Path) -> None:
    """Of the same size and in the same second: what Python compiled of it isn't used."""
    file = tmp_path / "mine.py"
    for title in ("Mine", "Ours"):
        file.write_text(MINE.replace('title="Mine"', f'title="{title}"'))
        os.utime(file, (1, 1))
        assert load_definition(file).title == title
    assert [each.name for each in tmp_path.iterdir()] == ["mine.py"]


@pytest.mark.parametrize("name", ["sasrec", "bert4rec", "xlstm"])
def test_models_that_come_with_seqbench(name: str) -> None:
    assert load_definition(name).title.lower() == name
