"""`models new` and `models check`, and the page that teaches them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from live_runs import LiveStore

import engine
from engine.asking.modelcheck import OF_MODEL, OF_RUN
from engine.modelinfo import builtin_infos
from engine.modelinfo.new import model_text
from engine.store.location import StoreLocation
from tui.cli.models.own import TITLES

Run = Callable[..., Result]
RunJson = Callable[..., Any]

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/models.md").read_text("utf-8")
TEMPLATE = (Path(engine.__file__).parent / "models/template.py").read_text("utf-8")
EXAMPLE = next(
    block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "MODEL" in block
)


def test_the_example_of_the_page_is_the_template() -> None:
    assert EXAMPLE == TEMPLATE
    assert len(EXAMPLE.splitlines()) <= 80


def test_the_page_has_every_check() -> None:
    assert set(TITLES) == set(OF_MODEL)
    assert all(f"\n| {title} | " in PAGE for title in TITLES.values())


def test_a_new_file_is_a_model_at_once(cli: Run, cli_json: RunJson, tmp_path: Path) -> None:
    written = cli("models", "new", "my-model")
    assert written.stdout == f"{tmp_path}/models/my_model.py\n"
    text = (tmp_path / "models/my_model.py").read_text()
    assert text == EXAMPLE.replace('title="Template"', 'title="My Model"')
    cells = cli_json("models", "--json")
    assert {cell["model"] for cell in cells} == {"sasrec", "bert4rec", "xlstm", "my-model"}
    assert "my-model is defined in" in cli("models").stdout


def test_it_is_written_next_to_the_configuration(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "lab/configs").mkdir(parents=True)
    written = cli("--config-dir", str(tmp_path / "lab/configs"), "models", "new", "other")
    assert written.stdout == f"{tmp_path}/lab/models/other.py\n"


@pytest.mark.parametrize("like", builtin_infos())
def test_a_copy_has_a_title_of_its_own_and_no_alias(like: str) -> None:
    copied = model_text("my_own-one", like)
    call = next(
        node.value
        for node in ast.parse(copied).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MODEL"
    )
    assert isinstance(call, ast.Call)
    arguments = {keyword.arg: keyword.value for keyword in call.keywords}
    assert ast.literal_eval(arguments["title"]) == "My Own One"
    assert "aliases" not in arguments
    assert {"settings", "module"} <= set(arguments)


def test_copies_are_models_too(cli: Run, cli_json: RunJson) -> None:
    for like in ("gru4rec", "sasrec"):
        assert cli("models", "new", f"my_{like}", "--like", like).exit_code == 0
    cells = cli_json("models", "--json")
    assert {"my-gru4rec", "my-sasrec"} < {cell["model"] for cell in cells}
    counts = {(c["model"], c["dataset"], c["length"]): c["parameters"] for c in cells}
    assert counts["my-sasrec", "ml-1m", 50] == counts["sasrec", "ml-1m", 50]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sasrec",), "There is a model sasrec already: choose another name."),
        (("SAS4Rec",), "There is a model sas4rec already: choose another name."),
        (("Mine",), "A model's name is small letters, digits, '-' and '_'"),
        (("../mine",), "A model's name is small letters"),
        (("a" * 41,), "A model's name is small letters"),
        (("mine", "--like", "nothing"), "'nothing' doesn't come with seqbench"),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_sentence(
    cli: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    refused = cli("models", "new", *arguments)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert not (tmp_path / "models").exists()


def test_no_file_is_written_over(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    mine = tmp_path / "models/mine.py"
    mine.write_text("# nothing yet\n")
    refused = cli("models", "new", "mine")
    assert refused.exit_code == 2
    assert "mine" in refused.stderr
    assert mine.read_text() == "# nothing yet\n"


def test_what_is_neither_a_model_nor_a_run_is_refused(cli: Run) -> None:
    refused = cli("models", "check", "nothing")
    assert refused.exit_code == 2
    assert "no model 'nothing'" in refused.stderr


def test_a_file_that_cannot_be_used_is_told_with_its_line(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/mine.py").write_text("MODEL = nothing\n")
    refused = cli("models", "check", "mine")
    assert refused.exit_code == 2
    assert "mine.py:1: NameError" in refused.stderr


def test_a_model_that_raises_fails_with_the_line_of_its_file(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    path = tmp_path / "models/mine.py"
    path.write_text(EXAMPLE.replace("self.norm(x[:", "self.norms(x[:"))
    line = 1 + path.read_text().split("self.norms")[0].count("\n")
    checked = cli("models", "check", "mine", "--json")
    assert checked.exit_code == 1
    verdicts = {each["check"]: each for each in json.loads(checked.stdout)}
    assert list(verdicts) == list(OF_MODEL)
    assert f":{line}: AttributeError" in verdicts["padding"]["found"]
    assert verdicts["parameters"]["passed"] is True


@pytest.mark.usefixtures("own_process")
def test_a_run_is_checked_with_its_weights_and_its_data(
    held: StoreLocation, empty_store: LiveStore, cli: Run
) -> None:
    run = empty_store.launch("sasrec")
    empty_store.train(run, 3, end="done")
    empty_store.keep_model(run)  # the weights that training begins with
    checked = cli("models", "check", run, "--json")
    assert checked.exit_code == 1, checked.stderr
    verdicts = {each["check"]: each["passed"] for each in json.loads(checked.stdout)}
    assert tuple(verdicts) == OF_RUN
    assert all(verdicts[check] for check in ("padding", "future", "finite"))
    assert verdicts["floor"] is False


@pytest.mark.slow
def test_the_example_passes_every_check(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/mine.py").write_text(EXAMPLE)
    checked = cli("models", "check", "mine")
    assert checked.exit_code == 0, checked.output
    assert len([line for line in checked.stdout.splitlines() if line[0] in "✓–"]) == len(OF_MODEL)
