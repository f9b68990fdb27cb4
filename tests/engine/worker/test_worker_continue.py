"""Runs that go on from where another reached its limit of epochs, by the real worker: the same
figures, to the last bit, as with the higher limit from the start."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from test_worker import OFTEN, SMALL, exit_status, kill_halted, lines, results

from engine.config import load_catalogue
from engine.errors import UsageError
from engine.marks import of_metrics
from engine.metrics import EPOCH_ENERGY, EPOCH_TIMES
from engine.planning import enqueue_amended, enqueue_further
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import load_spec
from engine.store import queries, series
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.intake.folders import save_unsaved
from engine.store.intake.ingest import ingest
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.requests import enqueue
from engine.store.transitions import retry

Train = Callable[..., RunFolder]


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    return StoreLocation(tmp_path / "runs.db")


@pytest.fixture
def train(location: StoreLocation, start: Callable[..., Any]) -> Train:
    """Train the attempt of a queued run that comes next, as the supervisor would."""

    def attempt(run: str, **conditions: Any) -> RunFolder:
        folder = location.folder(run)
        with closing(connect_writer(location)) as connection:
            save_unsaved(connection, location)
            with closing(connect_reader(location)) as con:
                found = queries.get_run(con, run)
            assert found is not None
            assert found.state == "queued"
            with write(connection):
                connection.execute("UPDATE runs SET state = 'running' WHERE id = ?", (run,))
            worker = start(folder, found.attempt, **conditions)
            if "halt" in conditions:
                kill_halted(worker)
            else:
                assert exit_status(worker) == 0, folder.log.read_text()
            ingest(connection, folder, found.attempt)
            if "halt" in conditions:
                with write(connection):
                    connection.execute(
                        "UPDATE runs SET state = 'queued', attempt = attempt + 1 WHERE id = ?",
                        (run,),
                    )
            save_unsaved(connection, location)
        return folder

    return attempt


def spec(model: str = "sasrec", epochs: int = 2, **overrides: Any) -> RunSpec:
    given = {"dim": 16, "epochs": epochs, "patience": 50} | overrides
    made = load_catalogue().run_spec(model, "synthetic", 20, 7, overrides=given)
    source = made.source.model_dump() | SMALL
    return RunSpec.model_validate(made.model_dump() | {"source": source})


def state(folder: RunFolder) -> Any:
    """The newest checkpoint, as torch reads it."""
    content = folder.checkpoints()[-1][1].read_bytes().partition(b"\n")[2]
    whole = folder.path / "state.pt"
    whole.write_bytes(content)
    return torch.load(whole, weights_only=True)


def same(one: Any, other: Any) -> bool:
    """Whether two states are equal to the last bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    return bool(one == other)


def stored(location: StoreLocation, run: str) -> dict[str, Any]:
    """What the store has of a run, without times and what tells attempts apart."""
    own = {*EPOCH_TIMES, *EPOCH_ENERGY, "run", "attempt", "seq", "t"}
    with closing(connect_reader(location)) as con:
        found = queries.get_run(con, run)
        rows = [{k: v for k, v in row.items() if k not in own} for row in series.epochs(con, run)]
    assert found is not None
    kept = ("state", "epoch", "epochs", "step", "best_epoch", "best_valid_ndcg", "fingerprint")
    marks = of_metrics(found.marks)
    return {"rows": rows, "marks": marks, **{name: getattr(found, name) for name in kept}}


@pytest.mark.parametrize(
    ("model", "settings"), [("sasrec", {"ema": 0.9}), ("bert4rec", {}), ("xlstm", {})]
)
def test_going_on_gives_what_the_higher_limit_gives_from_the_start(
    location: StoreLocation, train: Train, model: str, settings: dict[str, Any]
) -> None:
    (short,) = enqueue(location, [spec(model, 2, **settings)])
    old = train(short)
    before = {path.name: path.read_bytes() for path in old.path.iterdir()}
    (further,) = enqueue_further(location, None, [short], 4)
    assert stored(location, further)["rows"] == stored(location, short)["rows"]
    assert load_spec(location.folder(further)).continues == short
    folder = train(further)
    (long,) = enqueue(location, [spec(model, 4, **settings)])
    whole = train(long)

    (begun,) = lines(folder, "start", 2)
    assert (begun.fields["resumed_epoch"], begun.fields["epochs"]) == (2, 4)
    assert results(folder, range(1, 3)) == results(whole, range(1, 2))
    assert stored(location, further) == stored(location, long)
    assert same(state(folder), state(whole))
    assert folder.test_ranks.read_bytes() == whole.test_ranks.read_bytes()
    assert same(*(torch.load(f.best_model, weights_only=True) for f in (folder, whole)))
    assert before == {path.name: path.read_bytes() for path in old.path.iterdir()}

    live = stored(location, further), stored(location, short)
    rebuild(location)
    assert live == (stored(location, further), stored(location, short))


def test_killed_in_the_middle_and_without_the_run_that_it_goes_on_from(
    location: StoreLocation, train: Train
) -> None:
    (short,) = enqueue(location, [spec(epochs=2)])
    old = train(short)
    (further,) = enqueue_further(location, None, [short], 6)
    (long,) = enqueue(location, [spec(epochs=6)])
    whole = train(long)
    for path in old.path.iterdir():
        path.unlink()
    rebuild(location)
    folder = train(further, halt=("epoch", 1))
    assert results(folder, range(1, 3)) == results(whole, range(1, 2))[:3]
    train(further, halt=("checkpoint", 2), constants=OFTEN)
    train(further)
    assert [lines(folder, "start", n)[0].fields["resumed_epoch"] for n in (2, 3, 4)] == [2, 2, 4]
    assert results(folder, range(1, 5)) == results(whole, range(1, 2))
    assert folder.test_ranks.read_bytes() == whole.test_ranks.read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from engine.interchange import continued
from engine.planning import enqueue_further
from engine.store.location import StoreLocation
setattr(continued, sys.argv[3], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
enqueue_further(StoreLocation(Path(sys.argv[1])), None, [sys.argv[2]], 3)
"""


@pytest.mark.parametrize(("at", "there"), [("place", False), ("retry", True)])
def test_a_command_that_is_killed_leaves_nothing_or_a_run_to_retry(
    location: StoreLocation, train: Train, at: str, there: bool
) -> None:
    (short,) = enqueue(location, [spec(epochs=2)])
    old = train(short)
    words = [sys.executable, "-c", KILLED, location.db, short, at]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    with closing(connect_reader(location)) as con:
        others = [run for run in queries.list_runs(con) if run.id != short]
    assert [run.state for run in others] == ["cancelled"] * there
    if there:
        with closing(connect_writer(location)) as connection, write(connection):
            retry(connection, others[0].id)
        folder = train(others[0].id)
        assert lines(folder, "start", 2)[0].fields["resumed_epoch"] == 2
    else:
        (further,) = enqueue_further(location, None, [short], 3)
        assert {path.name for path in location.runs.iterdir() if path.is_dir()} == {short, further}
    assert results(old, range(1, 2)) == results(location.folder(short), range(1, 2))


def test_a_run_with_other_settings_begins_by_itself(location: StoreLocation, train: Train) -> None:
    (short,) = enqueue(location, [spec(epochs=2)])
    train(short)
    (further,) = enqueue_further(location, None, [short], 3)
    other = enqueue_amended(location, None, further, {"lr": 0.01})
    with closing(connect_reader(location)) as con:
        assert queries.run_spec(con, further).continues == short
        assert queries.run_spec(con, other).continues == ""


def test_a_damaged_checkpoint_costs_time_and_no_figure(
    location: StoreLocation, train: Train
) -> None:
    (short,) = enqueue(location, [spec(epochs=2)])
    train(short)
    (further,) = enqueue_further(location, None, [short], 3)
    path = location.folder(further).checkpoint(1)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)
    folder = train(further)
    assert lines(folder, "start", 2)[0].fields["resumed_epoch"] == 0
    assert "is damaged" in lines(folder, "warning", 2)[0].fields["message"]
    assert [row["epoch"] for row in stored(location, further)["rows"]] == [1, 2, 3]
    assert results(folder, range(2, 3))[:2] == results(location.folder(short), range(1, 2))


def test_what_depends_on_the_limit_is_never_taken_over(
    location: StoreLocation, train: Train
) -> None:
    """Whatever a run says that it goes on from."""
    falling = spec(epochs=2, lr_decay="linear")
    (short,) = enqueue(location, [falling])
    train(short)
    with pytest.raises(UsageError, match=r"decays over all of its epochs: train again .*epochs=4"):
        enqueue_further(location, load_catalogue(), [short], 4)
    longer = spec(epochs=4, lr_decay="linear")
    assert longer.shorter(2) is None
    assert spec(epochs=4).shorter(2) == spec(epochs=2)
    assert spec(epochs=4).shorter(4) is None
    (long,) = enqueue(location, [longer.model_copy(update={"continues": short})])
    with closing(connect_writer(location)) as connection:
        save_unsaved(connection, location)
    path = location.folder(short).checkpoint(1)
    location.folder(long).checkpoint(1).write_bytes(path.read_bytes())
    folder = train(long)
    assert lines(folder, "start")[0].fields["resumed_epoch"] == 0
    assert "another configuration" in lines(folder, "warning")[0].fields["message"]
