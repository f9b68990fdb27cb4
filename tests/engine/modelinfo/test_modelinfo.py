"""What is known of models without torch: those that come with seqbench, and a user's own."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.analysis.columns.definitions import AGGREGATES
from engine.analysis.columns.offered import PRESETS, every_column
from engine.analysis.provenance import PROVENANCE
from engine.config import load_catalogue
from engine.errors import UserError
from engine.modelinfo import builtin_infos, facts_of, known_facts, own_infos, parameters_of
from engine.modelinfo.ask import ask
from engine.modelinfo.builtin import FILE
from engine.modelinfo.copies import kept_copy
from engine.modelinfo.find import keep_copies
from engine.models import describe
from engine.models.names import name_problem
from engine.spec import RunSpec, Training
from engine.store.compare.comparison import SQL
from engine.store.compare.filter_sql import field_names

MINE = """\
import sys

from pydantic import Field, model_validator
from torch import nn

from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel

print("a file may print")

class Settings(ModelSettings):
    width: int = Field(default=8, ge=2, description="How wide.")
    share: float | None = None

    @model_validator(mode="after")
    def _even(self):
        if self.width % 2:
            raise ValueError(f"width ({self.width}) must be even")
        return self

class Mine(SequenceModel):
    def __init__(self, settings, num_items, length):
        super().__init__()
        self.items = nn.Embedding(num_items + 1, settings.width)
        self.frozen = nn.Parameter(self.items.weight[:1], requires_grad=False)
        self.steps = nn.Embedding(COUNT, 1)

    def hidden(self, items, *, last_only=False):
        return self.items(items)

    def output_layer(self):
        return OutputLayer(self.items.weight)

MODEL = Definition(title="Mine", settings=Settings, module=Mine, training={"lr": 0.01})
"""


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


def write(folder: Path, name: str = "my_own.py", count: str = "length") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(MINE.replace("COUNT", count))
    return folder / name


def test_what_is_shipped_is_of_the_files_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each model's file and the layers are those that were described; two are described again."""
    shipped = json.loads(FILE.read_text())
    digests = {name: describe._builtin_hash(name) for name in describe.builtin_names()}
    again = "`make modelinfo` writes it anew"
    assert {name: each["info"]["sha256"] for name, each in shipped.items()} == digests, again
    two = ["gru4rec", "popularity"]
    monkeypatch.setattr(describe, "builtin_names", lambda: two)
    described = json.loads(json.dumps(describe.describe_builtin()))
    assert described == {name: shipped[name] for name in two}, again


@pytest.mark.slow
def test_what_is_shipped_is_what_describing_gives(tmp_path: Path) -> None:
    made = tmp_path / "builtin.json"
    command = [sys.executable, "-m", "engine.models.describe", "--builtin", str(made)]
    subprocess.run(command, check=True)
    assert made.read_text() == FILE.read_text(), "`make modelinfo` writes it anew"


def test_profiles_of_shipped_models_are_known_without_a_process() -> None:
    for info in builtin_infos().values():
        assert not info.problem
        for profile in info.profiles.values():
            for size in profile["sizes"].values():
                settings = {
                    **info.defaults,
                    **profile["architecture"],
                    **size.get("architecture", {}),
                }
                facts = known_facts(info, settings)
                assert facts is not None
                assert not facts.problem
                assert facts.formula is not None


@pytest.mark.usefixtures("own_process")
def test_a_file_is_described_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "models")
    info = own_infos([tmp_path / "models"])["my-own"]
    assert (info.title, info.kind, info.origin, info.file) == (
        "Mine", "next-item", "file", str(file),
    )  # fmt: skip
    assert info.profiles == {
        "reference": {
            "architecture": {}, "training": {"lr": 0.01},
            "sizes": {"small": {}, "medium": {}, "large": {}},
        }
    }  # fmt: skip
    assert info.schema["properties"]["width"]["description"] == "How wide."
    assert info.defaults == {"width": 8, "share": None}
    assert parameters_of(info, info.defaults, 100, 7) == 101 * 8 + 7
    (facts,) = facts_of(info, [{"width": 9, "share": None}])
    assert facts.problem == "width (9) must be even"
    with pytest.raises(UserError, match=r"my-own: width \(9\) must be even\."):
        parameters_of(info, {"width": 9, "share": None}, 3, 4)
    kept = list((tmp_path / "xdg/seqbench/models").iterdir())
    assert [each.name for each in kept] == [f"{info.sha256}.json"]
    monkeypatch.setattr("engine.modelinfo.find.ask", None)  # nothing has changed: no process
    moved = write(tmp_path / "others", "another.py")
    again = own_infos([], [moved])["another"]
    assert (again.sha256, again.title) == (info.sha256, "Mine")


def test_a_count_that_is_no_formula_is_asked_for_each_size(tmp_path: Path) -> None:
    write(tmp_path, "odd.py", "num_items % 10 + length ** 2")
    info = own_infos([tmp_path])["odd"]
    assert facts_of(info, [info.defaults])[0].formula is None
    for items, length in ((103, 5), (9, 6)):
        expected = (items + 1) * 8 + items % 10 + length**2
        assert parameters_of(info, info.defaults, items, length) == expected


def test_a_broken_file_breaks_no_other(tmp_path: Path) -> None:
    write(tmp_path, "fine.py")
    write(tmp_path, "_parts.py")
    (tmp_path / "broken.py").write_text("x = 1\nimport no_such_package\nMODEL = 0\n")
    (tmp_path / "empty.py").write_text("import os\nos._exit(4)\n")
    (tmp_path / "Big.py").write_text("")
    (tmp_path / "sasrec.py").write_text("")
    (tmp_path / "ends.py").write_text("import os\nos._exit(3)\nMODEL = 0\n")
    infos = own_infos([tmp_path, tmp_path / "absent"], [tmp_path / "nowhere.py"])
    problems = {name: info.problem for name, info in infos.items()}
    assert problems.pop("fine") == ""
    assert problems.pop("broken") == (
        f"{tmp_path}/broken.py:2: ModuleNotFoundError: No module named 'no_such_package'."
    )
    assert "defines no model" in problems.pop("empty")
    assert "a model's name is small letters" in problems.pop("Big")
    assert "sasrec is a model of seqbench's" in problems.pop("sasrec.py")
    assert "can't be described" in problems.pop("ends")
    assert problems == {"nowhere": f"{tmp_path}/nowhere.py: No such file or directory."}


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ('title="Mine"', "title=3", "title: expected text, not 3."),
        ("settings=Settings", "settings=dict", "settings: expected a subclass of ModelSettings"),
        ("module=Mine, ", "", "module is needed."),
        ("training=", "trainings=", "there is no trainings."),
        ('training={"lr": 0.01}', 'profiles={"a": 1}', "profiles.a: expected "),
        ("default=8", 'default="a"', "architecture.width: expected a whole number, not 'a'."),
        ("0.01", "'x'", "training.lr: expected a number, not 'x'."),
    ],
)
def test_a_definition_of_the_wrong_type_breaks_no_other(
    tmp_path: Path, right: str, wrong: str, sentence: str
) -> None:
    file = write(tmp_path, "wrong.py")
    file.write_text(file.read_text().replace(right, wrong))
    write(tmp_path, "fine.py")
    problems = {name: info.problem for name, info in own_infos([tmp_path]).items()}
    assert problems["fine"] == ""
    assert problems["wrong"].startswith(f"{file}:")
    assert sentence in problems["wrong"]


def test_what_is_not_python_is_told_without_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.py").write_text("MODEL = 0\ndef f(:\n")
    (tmp_path / "deep.py").write_text(f"MODEL = {'-' * 200_000}1\n")
    (tmp_path / "nul.py").write_bytes(b"MODEL = 1\0\n")
    monkeypatch.setattr("engine.modelinfo.find.ask", None)
    problems = {name: info.problem for name, info in own_infos([tmp_path]).items()}
    assert problems["odd"] == f"{tmp_path}/odd.py:2: invalid syntax."
    assert problems["deep"] == f"{tmp_path}/deep.py: it is nested too deeply for Python."
    assert problems["nul"].startswith(f"{tmp_path}/nul.py: ")


def test_a_file_called_like_a_model_of_ours_takes_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "models", "sasrec.py")
    monkeypatch.chdir(tmp_path)
    catalogue = load_catalogue()
    assert catalogue.model("sasrec").title == "SASRec"
    assert "rename the file" in catalogue.infos["sasrec.py"].problem


def test_a_module_that_cannot_be_built_is_told_with_the_line(tmp_path: Path) -> None:
    file = write(tmp_path, "raises.py", "nn.Embedding(2, -1)")
    info = own_infos([tmp_path])["raises"]
    (facts,) = facts_of(info, [info.defaults])
    line = MINE[: MINE.index("COUNT")].count("\n") + 1
    assert facts.problem.startswith(f"{file}:{line}: RuntimeError: ")
    assert not facts.problem.endswith(".")


def test_a_copy_is_kept_of_what_may_run_without_running_it(tmp_path: Path) -> None:
    content = b"raise SystemExit\nMODEL = 0\n"
    (tmp_path / "mine.py").write_bytes(content)
    keep_copies([tmp_path, tmp_path / "absent"])
    assert kept_copy(hashlib.sha256(content).hexdigest()) == content


NAMED = """
from engine.models import Definition, FittedModel, ModelSettings

class Settings(ModelSettings):
    FIELD: int = 3

MODEL = Definition(title="Named", settings=Settings, module=FittedModel)
"""


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("lr", "lr: training has a setting of that name: call it otherwise."),
        ("Seed", "Seed: runs have a column or field of that name: call it otherwise."),
        ("test_ndcg_best", "test_ndcg_best: runs have a column or field of that name: call it"),
        ("age", "age: runs have a column or field of that name: call it otherwise."),
    ],
)
def test_a_setting_has_no_name_of_anything_else(tmp_path: Path, field: str, sentence: str) -> None:
    file = tmp_path / "named.py"
    file.write_text(NAMED.replace("FIELD", field))
    assert own_infos([], [file])["named"].problem.startswith(f"{file}: {sentence}")


def test_a_model_is_of_one_kind(tmp_path: Path) -> None:
    file = tmp_path / "both.py"
    file.write_text(
        "from engine.models import Definition, MaskedModel, ModelSettings, TimedModel\n"
        "class Both(TimedModel, MaskedModel): ...\n"
        "MODEL = Definition('Both', ModelSettings, Both)\n"
    )
    problem = own_infos([], [file])["both"].problem
    why = "Both is a TimedModel and a MaskedModel: a model can be only one of them."
    assert problem == f"{file}: {why}"


def test_every_name_of_runs_is_one_that_settings_cannot_have() -> None:
    taken = {*SQL, *PRESETS, *PROVENANCE, *RunSpec.model_fields, *Training.model_fields}
    for aggregate in AGGREGATES:
        taken |= set(field_names(aggregate))
        columns = [each for each in every_column(aggregate).values() if not each.setting]
        taken |= {name.lower() for each in columns for name in (each.name, each.source)}
    assert [name for name in taken if name.isidentifier() and not name_problem([name])] == []
    own = {name for info in builtin_infos().values() for name in info.schema["properties"]}
    assert name_problem(own) == ""


def test_files_may_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "elsewhere.py")
    monkeypatch.setenv("SEQBENCH_MODEL_PATH", str(file))
    assert own_infos([])["elsewhere"].title == "Mine"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that a process was asked about."""
    files: list[str] = []

    def noted(question: Mapping[str, str]) -> dict[str, Any]:
        files.append(Path(question["file"]).name)
        return ask(question)

    monkeypatch.setattr("engine.modelinfo.find.ask", noted)
    return files


BROKEN = {
    "missing.py": "import no_such_package\nMODEL = 0\n",
    "misspelt.py": "from engine.models import Definitoin\nMODEL = 0\n",
    "other.py": "MODEL = 0\n",
    "named.py": NAMED.replace("FIELD", "lr"),
}


def test_a_broken_file_is_asked_once_until_packages_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    folder, packages = tmp_path / "models", tmp_path / "packages"
    folder.mkdir()
    packages.mkdir()
    monkeypatch.syspath_prepend(packages)
    for name, text in BROKEN.items():
        (folder / name).write_text(text)
    first = own_infos([folder])
    assert all(info.problem for info in first.values())
    assert sorted(asked) == sorted(BROKEN)
    assert own_infos([folder]) == first
    assert len(asked) == len(BROKEN)
    (packages / "installed").mkdir()
    assert own_infos([folder]) == first
    assert len(asked) == 2 * len(BROKEN)
    folder.rename(tmp_path / "moved")
    moved = own_infos([tmp_path / "moved"])
    assert all(info.problem.startswith(str(info.file)) for info in moved.values())
    (tmp_path / "moved" / "other.py").write_text(NAMED.replace("FIELD", "width"))
    assert own_infos([tmp_path / "moved"])["other"].problem == ""


PASSING = {
    "reads.py": "open('GONE')\nMODEL = 0\n",
    "helped.py": "import helper_of_mine\nhelper_of_mine.later\nMODEL = 0\n",
    "ends.py": "import os\nos._exit(3)\nMODEL = 0\n",
}


def test_what_may_pass_is_asked_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "helper_of_mine.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "helpers"))
    for name, text in PASSING.items():
        (tmp_path / name).write_text(text.replace("GONE", str(tmp_path / "gone")))
    for times in (1, 2):
        assert all(info.problem for info in own_infos([tmp_path]).values())
        assert sorted(asked) == sorted([*PASSING] * times)
