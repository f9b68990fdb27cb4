"""``seqbench export`` and ``seqbench import``, and what compare says of what came in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from held import worked_on
from measured_runs import filled_store, give_ranks

from engine.modelinfo.new import model_text
from engine.store.connect import connect_writer
from engine.store.database import write
from engine.store.location import StoreLocation

Run = Callable[..., Result]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[StoreLocation]:
    """A store elsewhere, to export from."""
    store, _ = filled_store(tmp_path / "lab")
    give_ranks(store)
    with worked_on(store.location):
        yield store.location


@pytest.mark.parametrize("command", ["report", "export"])
def test_the_filter_has_one_name_and_its_old_one_works(
    cli: Run, lab: StoreLocation, command: str
) -> None:
    here = ("--db", str(lab.db), command, *(("-o", "x.csv") if command == "export" else ()))
    written, before = (cli(*here, name, "modle:sasrec") for name in ("--filter", "--where"))
    assert written.exit_code == 2
    assert "model" in written.stderr
    assert before.stderr == written.stderr
    shown = cli(command, "--help").stdout
    assert "--filter" in shown
    assert "--where" not in shown


def test_from_one_machine_to_another(cli: Run, lab: StoreLocation, tmp_path: Path) -> None:
    here = ("--db", str(lab.db))
    which = "model:sasrec state:done dataset:ml-100k"
    done = cli(*here, "export", "-o", "x.tar.zst", "--filter", which)
    assert done.exit_code == 0
    assert done.stderr.startswith("Written 7 runs to x.tar.zst")
    done = cli("import", "x.tar.zst")
    assert (done.exit_code, done.stderr) == (0, "Imported 7 runs.\n")
    done = cli("import", "x.tar.zst")
    assert done.stderr == "Imported 0 runs, 7 were here already.\n"
    for table in ([], ["--by-cell"], ["--pivot"], ["--pairs"]):
        for form in ("csv", "json"):
            arguments = ("compare", *table, "--format", form, "--filter", which)
            there, ours = cli(*arguments), cli(*here, *arguments)
            assert there.exit_code == 0
            assert (there.stdout, there.stderr) == (ours.stdout, ours.stderr)


def test_history_is_marked_and_left_out(cli: Run, lab: StoreLocation, tmp_path: Path) -> None:
    here = ("--db", str(lab.db))
    which = ("--filter", "model:sasrec length:50 state:done dataset:ml-100k")
    assert cli(*here, "export", "-o", "tb", "--format", "tensorboard", *which).exit_code == 0
    assert cli(*here, "export", "-o", "x.tar.gz", *which).exit_code == 0
    assert cli("import", "x.tar.gz").exit_code == 0
    before = cli("compare", "--by-cell", "--format", "csv")
    assert cli("import", "tb").stderr == "Imported 3 runs.\n"
    after = cli("compare", "--by-cell", "--format", "csv")
    assert after.stdout == before.stdout
    assert "3 runs are imported and left out: --imported makes cells of them." in after.stderr
    assert "several rows, never averaged: their settings differ" in after.stderr
    asked = cli("compare", "--by-cell", "--format", "csv", "--imported")
    assert len(asked.stdout.splitlines()) == len(before.stdout.splitlines()) + 1
    tests = cli("compare", "--pairs", "--format", "csv")
    assert "3 runs are imported, without ranks of users: they can't be tested." in tests.stderr
    assert "can't be read" not in tests.stderr
    listed = cli("compare", "--filter", "origin:imported", "--format", "csv")
    assert listed.stdout.count("imported-tensorboard") == 3
    run = listed.stdout.splitlines()[1].split(",")[0]
    shown = cli("show", run)
    assert "imported" in shown.stdout
    assert "tensorboard, tb/" in shown.stdout
    assert cli("compare", "--imported").exit_code == 2


@pytest.mark.parametrize("name", ["e.csv", "e.parquet"])
def test_epochs(cli: Run, lab: StoreLocation, name: str) -> None:
    done = cli("--db", str(lab.db), "export", "-o", name, "--filter", "seed:9")
    assert (done.exit_code, done.stderr) == (0, f"Written 14 epochs to {name}.\n")
    assert Path(name).stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["export"], 2, "Missing option '-o'"),
        (["export", "-o", "x.zip"], 2, "doesn't say which format"),
        (
            ["export", "-o", "x.tar", "--format", "archive"],
            2,
            "end the name in .tar.zst or .tar.gz",
        ),
        (["export", "-o", "x.csv", "--format", "cvs"], 2, "did you mean 'csv'?"),
        (["export", "-o", "x.csv", "--checkpoints"], 2, "--checkpoints is for archives"),
        (["export", "-o", "x.csv", "--filter", "nope:1"], 2, "there is no field 'nope'"),
        (["export", "-o", "x.csv", "--suite", "nobody"], 2, "nothing was written"),
        (["export", "-o", "x.tgz", "--filter", "state:running"], 2, "nothing was written"),
        (["export", "-o", "no/x.tgz"], 1, "no/x.tgz can't be written: No such file"),
        (["import"], 2, "Missing argument 'PATH'"),
        (["import", "x.tar.gz"], 1, "x.tar.gz can't be imported: No such file"),
        (["import", "x.tar.gz", "--seed", "1"], 2, "leave out the other options"),
        (["import", "."], 1, "has no run in it"),
        (["import", "x.csv"], 1, "x.csv can't be read: No such file"),
        (["import", ".", "--map", "no.yaml"], 2, "no.yaml: No such file"),
    ],
)
def test_mistakes(
    cli: Run, lab: StoreLocation, arguments: list[str], status: int, said: str
) -> None:
    done = cli("--db", str(lab.db), *arguments)
    assert done.exit_code == status
    assert said in done.stderr
    assert not list(Path().glob("x*"))


def test_what_disturbed_runs_is_said(cli: Run, lab: StoreLocation, tmp_path: Path) -> None:
    with closing(connect_writer(lab)) as connection, write(connection):
        connection.execute("UPDATE runs SET marks = 'shared throttled-heat' WHERE seed = 9")
    here = ("--db", str(lab.db))
    done = cli(*here, "compare", "--filter", "mark:throttled", "--format", "csv")
    assert len(done.stdout.splitlines()) == 2
    assert "1 run is marked shared, because another process was on its GPU" in done.stderr
    assert "1 run is marked" in cli(*here, "compare", "--by-cell", "--format", "csv").stderr


def test_history_of_a_model_that_is_named_on_the_command_line(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "my_net.py"
    file.parent.mkdir()
    file.write_text(model_text("my-net").replace("settings=", 'aliases=("The Net",), settings=', 1))
    (tmp_path / "old.csv").write_text(
        "model,dataset,length,seed,epoch,valid_ndcg\nThe Net,100K,50,1,1,0.06\n"
    )
    done = cli("--model-path", str(file), "import", "old.csv")
    assert (done.exit_code, done.stderr) == (0, "Imported 1 run.\n")
    listed = cli("compare", "--imported", "--by-cell", "--format", "csv").stdout.splitlines()
    assert [line.split(",")[0] for line in listed[1:]] == ["my-net"], listed
