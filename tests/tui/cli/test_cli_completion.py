"""What a shell completes: names from the store and the configuration, without waiting for much."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import Result
from live_runs import LiveStore

from engine.modelinfo import own_infos
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import list_runs
from tui.cli.main import seqbench

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _in_its_folder(cli: Run) -> None:
    """Work on the store in the test's folder."""


def offered(*words: str) -> list[str]:
    """Complete the last word of a command line."""
    completer = ShellComplete(seqbench, {}, "seqbench", "_SEQBENCH_COMPLETE")
    return [item.value for item in completer.get_completions(list(words[:-1]), words[-1])]


def test_runs_are_offered_newest_first_and_those_that_allow_it(
    held: StoreLocation, busy_store: LiveStore
) -> None:
    with closing(connect_reader(held)) as connection:
        runs = list_runs(connection)
    assert offered("show", "") == offered("diff", runs[0].id, "") == [run.id for run in runs]
    some = [run.id for run in runs if run.id.startswith("sasrec-synthetic")]
    assert some
    assert offered("logs", "sasrec-synthetic") == some
    failed = [run.id for run in runs if run.state in ("failed", "cancelled")]
    assert offered("retry", "") == failed
    assert offered("--db", str(held.db.with_name("none.db")), "show", "") == []


def test_names_of_the_configuration_are_offered_also_your_own(tmp_path: Path) -> None:
    mine = tmp_path / "configs/suites"
    mine.mkdir(parents=True)
    (mine / "a-file.yaml").write_text("title: Mine\nname: smooth\n")
    models = offered("run", "--model", "")
    assert models == sorted(models)
    assert {"bert4rec", "markov", "sasrec"} < set(models)
    others = [f"sasrec,{name}" for name in models if name != "sasrec"]
    assert offered("run", "--model", "sasrec,") == others
    assert set(offered("data", "verify", "ml-1m", "ml-100")) == {"ml-100k", "ml-100k-time"}
    assert offered("report", "--suite", "smo") == ["smoke", "smooth"]
    assert offered("doctor", "--launcher", "slurm-") == ["slurm-gpu"]
    assert offered("--config-dir", str(tmp_path / "absent"), "suite", "show", "") == []


def test_where_nothing_can_be_read_nothing_is_offered_nor_said(tmp_path: Path) -> None:
    (tmp_path / "odd.db").write_text("no database")
    for db in (tmp_path, tmp_path / "odd.db"):  # a folder is none either
        for command in ("show", "undelete"):
            assert offered("--db", str(db), command, "") == []
    suites = tmp_path / "configs/suites"
    suites.mkdir(parents=True)
    os.mkfifo(suites / "pipe.yaml")
    assert offered("run", "--suite", "") == []


def test_columns_are_offered_by_their_short_names_and_presets() -> None:
    quality = ["quality", "quality_energy", "quality_time"]
    assert sorted(offered("compare", "--columns", "ndcg,q")) == [f"ndcg,{each}" for each in quality]
    assert {"ndcg", "recall", "lr", "age", "cost"} <= set(offered("compare", "--columns", ""))
    assert offered("report", "--metric", "recall")[0] == "recall"


def commands(
    group: click.Group, ctx: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, ctx, (*path, name))
        else:
            yield (*path, name), command


def test_every_option_and_argument_can_be_completed() -> None:
    for path, command in commands(seqbench, click.Context(seqbench)):
        offered(*path, "")
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.is_flag:
                offered(*path, parameter.opts[0], "")


def test_the_shell_is_given_views_and_runs_for_a_baseline(
    held: StoreLocation, busy_store: LiveStore, tmp_path: Path
) -> None:
    views = tmp_path / "configs/views"
    views.mkdir(parents=True)
    (views / "paper.yaml").write_text("name: paper\n")

    def told(*words: str) -> list[str]:
        line = ["seqbench", "--db", str(held.db), *words]
        asked = {
            "_SEQBENCH_COMPLETE": "zsh_complete",
            "COMP_WORDS": " ".join(line),
            "COMP_CWORD": str(len(line) - 1),
        }
        found = subprocess.run(
            [sys.executable, "-m", "tui.cli"],
            env={**os.environ, **asked},
            capture_output=True,
            text=True,
            check=True,
        )
        return found.stdout.splitlines()[1::3]

    with closing(connect_reader(held)) as connection:
        runs = [run.id for run in list_runs(connection)]
    assert told("compare", "--view", "pa") == ["paper"]
    assert told("compare", "--baseline", runs[0][:-1]) == [runs[0]]


def test_it_loads_nothing_heavy() -> None:
    program = """
import sys
from click.shell_completion import ShellComplete
from tui.cli.main import seqbench
completer = ShellComplete(seqbench, {}, "seqbench", "_SEQBENCH_COMPLETE")
for words in (["show"], ["run", "--model"], ["compare", "--columns"], ["compare", "--view"],
              ["report", "--suite"], ["data", "fetch"], ["recommend"], ["undelete"]):
    completer.get_completions(words, "")
print(sorted({"torch", "pandas", "numpy", "textual"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_settings_are_offered_of_the_models_that_are_named(tmp_path: Path) -> None:
    assert offered("run", "--model", "markov", "--set", "w") == ["window="]
    assert offered("run", "--model", "markov", "--set", "lr") == []
    mixed = offered("run", "--model", "markov,sasrec", "--set", "")
    assert {"lr=", "epochs=", "window=", "heads="} <= set(mixed)
    assert "gate_soft_cap=" not in mixed
    assert "gate_soft_cap=" in offered("retry", "some-run", "--set", "gate-")
    file = tmp_path / "elsewhere" / "mine.py"
    file.parent.mkdir()
    file.write_text(
        f"# {tmp_path}, so that no description of it is kept from an earlier session\n"
        "from engine.models import Definition, FittedModel, ModelSettings\n"
        "class Settings(ModelSettings):\n    breadth: int = 3\n"
        "MODEL = Definition('Mine', Settings, FittedModel)\n"
    )
    named = ("--model-path", str(file), "run", "--model")
    assert offered(*named, "mi") == ["mine"]
    assert offered(*named, "mine", "--set", "brea") == [], "nothing waits for its description"
    own_infos([], [file])
    assert offered(*named, "mine", "--set", "") == ["breadth="]
