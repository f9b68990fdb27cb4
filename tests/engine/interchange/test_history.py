"""History of other programs: what becomes of event folders and CSV files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from measured_runs import MeasuredStore
from row_pivot import pivot

from engine.analysis.comparison import by_cell, compare_rows
from engine.analysis.pairs.cells import ranked_cells
from engine.config import load_catalogue
from engine.errors import ConfigError, UserError
from engine.interchange.events import Scalars, write_scalars
from engine.interchange.history import import_history
from engine.interchange.pack import pack
from engine.interchange.unpack import unpack
from engine.store.compare.grouping import Choice, counted_runs, imported_left_out
from engine.store.compare.lines import cell_lines
from engine.store.connect import connect_reader
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.places import launch_cells
from engine.store.queries import run_spec
from engine.store.series import epochs

T = 1_700_000_000.0


def event_file(
    folder: Path, moments: Sequence[tuple[int, Mapping[str, float]]], t: float = T
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{t:.0f}.host"
    with path.open("wb") as file:
        write_scalars(file, t, (Scalars(t + n, n, values) for n, values in moments))
    return path


def reference_run(folder: Path, ndcg: Sequence[float] = (0.05, 0.068, 0.06)) -> Path:
    """As the reference's notebooks log one."""
    return event_file(
        folder,
        [
            (n, {"NDCG@10/test": v, "Loss/train": 5000.5 - n, "Model/TotalParams": 270291.0})
            for n, v in enumerate(ndcg)
        ],
    )


def rows_of(location: StoreLocation, **options: Any) -> list[dict[str, Any]]:
    with closing(connect_reader(location)) as con:
        return compare_rows(con, **options)


def test_a_folder_of_event_files_becomes_runs(elsewhere: StoreLocation, tmp_path: Path) -> None:
    reference_run(tmp_path / "logs" / "SAS4Rec" / "100K" / "50" / "42")
    reference_run(tmp_path / "logs" / "GRU4Rec" / "My Data" / "len75" / "seed7")
    imported, passed_over = import_history(tmp_path / "logs", elsewhere)
    assert passed_over == []
    assert len(imported.added) == 2
    rows = {row["model"]: row for row in rows_of(elsewhere, aggregate="max")}
    ours, other = rows["sasrec"], rows["gru4rec"]
    assert (ours["dataset"], ours["length"], ours["seed"]) == ("ml-100k", 50, 42)
    assert (other["dataset"], other["length"], other["seed"]) == ("my-data", 75, 7)
    assert (ours["state"], ours["origin"], ours["profile"]) == (
        "done", "imported-tensorboard", "imported",
    )  # fmt: skip
    assert (ours["NDCG@10/test"], ours["Loss/train"]) == (0.068, 5000.5)
    assert (ours["Model/TotalParams"], ours["Total Epoch Trained"]) == (270291, 3)
    for name in ("checksum", "protocol", "device", "torch", "NDCG@10/valid", "marks"):
        assert ours[name] is None, name
    assert rows_of(elsewhere)[0]["NDCG@10/test"] is None, "no validation: no epoch was chosen"
    assert rows_of(elsewhere, filter="origin:imported model:sasrec")


def test_importing_again_and_making_the_store_anew_change_nothing(
    elsewhere: StoreLocation, tmp_path: Path
) -> None:
    reference_run(tmp_path / "logs" / "sasrec" / "ml-100k" / "50" / "1")
    added = import_history(tmp_path / "logs", elsewhere)[0].added
    before = rows_of(elsewhere, aggregate="max")
    again = import_history(tmp_path / "logs", elsewhere)[0]
    assert (again.added, again.present) == ((), added)
    rebuild(elsewhere)
    assert rows_of(elsewhere, aggregate="max") == before


def test_imported_runs_are_in_no_mean_and_no_test_unless_asked_for(
    lab: MeasuredStore, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    with closing(connect_reader(lab.location)) as con:
        pack(con, lab.location, tmp_path / "x.tar.gz", filter="model:sasrec length:50 state:done")
    unpack(tmp_path / "x.tar.gz", elsewhere)
    rows = rows_of(elsewhere)
    with closing(connect_reader(elsewhere)) as con:
        lines, grid = cell_lines(con, Choice(), "model", False), launch_cells(con)
        own = counted_runs(con, Choice())
    alone = by_cell(rows, own), pivot(rows, own), ranked_cells(elsewhere, rows, own)[1]
    reference_run(tmp_path / "logs" / "sasrec" / "ml-100k" / "50" / "3")
    import_history(tmp_path / "logs", elsewhere)
    rows = rows_of(elsewhere)
    with closing(connect_reader(elsewhere)) as con:
        assert counted_runs(con, Choice()) == own
        with_imported = counted_runs(con, Choice(imported=True))
        assert cell_lines(con, Choice(), "model", False) == lines
        assert launch_cells(con) == grid
        assert imported_left_out(con, Choice()) == 1
        assert imported_left_out(con, Choice(imported=True)) == 0
        total, _ = cell_lines(con, Choice(imported=True), "model", False)
    assert total == lines[0] + 1
    found = by_cell(rows, own), pivot(rows, own), ranked_cells(elsewhere, rows, own)[1]
    assert found == alone
    asked_for = by_cell(rows, with_imported)
    assert len(asked_for) == len(alone[0]) + 1
    ours = [cell for cell in asked_for if cell["profile"] != "imported"]
    assert ours == alone[0], "also then they are cells of their own"


def test_they_cannot_be_trained_again(elsewhere: StoreLocation, tmp_path: Path) -> None:
    reference_run(tmp_path / "logs" / "sasrec" / "ml-100k" / "50" / "3")
    (run,) = import_history(tmp_path / "logs", elsewhere)[0].added
    with (
        closing(connect_reader(elsewhere)) as con,
        pytest.raises(UserError, match="it isn't known how it was trained"),
    ):
        run_spec(con, run)


def test_they_travel_in_an_archive_as_what_they_are(
    elsewhere: StoreLocation, tmp_path: Path
) -> None:
    reference_run(tmp_path / "logs" / "sasrec" / "ml-100k" / "50" / "3")
    import_history(tmp_path / "logs", elsewhere)
    third = StoreLocation(tmp_path / "third" / "runs.db")
    with closing(connect_reader(elsewhere)) as con:
        pack(con, elsewhere, tmp_path / "x.tar.zst")
    unpack(tmp_path / "x.tar.zst", third)
    assert rows_of(third, aggregate="max") == rows_of(elsewhere, aggregate="max")


def test_a_step_logged_twice_counts_as_it_was_last(
    elsewhere: StoreLocation, tmp_path: Path
) -> None:
    folder = tmp_path / "sasrec" / "ml-100k" / "50" / "1"
    event_file(folder, [(0, {"NDCG@10/test": 0.5}), (10, {"NDCG@10/test": 0.6})], T + 100)
    event_file(folder, [(0, {"NDCG@10/test": 0.1}), (10, {"Loss/train": 9.0})], T)
    (run,) = import_history(folder, elsewhere)[0].added
    with closing(connect_reader(elsewhere)) as con:
        found = epochs(con, run)
    assert [(e["epoch"], e["test_ndcg"], e["loss_sum"]) for e in found] == [
        (1, 0.5, None),
        (2, 0.6, 9.0),
    ]


def test_a_file_that_was_cut_short_gives_what_it_has(
    elsewhere: StoreLocation, tmp_path: Path
) -> None:
    path = reference_run(tmp_path / "sasrec" / "ml-100k" / "50" / "1")
    path.write_bytes(path.read_bytes()[:-7])
    imported, passed_over = import_history(tmp_path / "sasrec", elsewhere)
    assert len(imported.added) == 1
    assert [s.endswith("everything before that is used.") for s in passed_over] == [True]
    assert rows_of(elsewhere)[0]["Total Epoch Trained"] == 2


def test_a_map_says_what_other_tags_are(elsewhere: StoreLocation, tmp_path: Path) -> None:
    event_file(tmp_path / "logs" / "exp_gru_ml1m_9", [(1, {"val/ndcg": 0.2, "NDCG@10/test": 0.9})])
    chosen = tmp_path / "map.yaml"
    chosen.write_text(
        "tags: {val/ndcg: valid_ndcg, NDCG@10/test: null}\n"
        'folders: ["exp_{model}_{dataset}_{seed}"]\nnames: {ml1m: ml-1m}\n'
    )
    import_history(tmp_path / "logs", elsewhere, load_catalogue, chosen, {"length": "200"}, "old")
    (row,) = rows_of(elsewhere, filter="suite=old")
    assert (row["model"], row["dataset"], row["length"], row["seed"]) == ("gru", "ml-1m", 200, 9)
    assert (row["NDCG@10/valid"], row["NDCG@10/test"]) == (0.2, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tags: {a: ndgc}", "map.yaml:1: tags: .*'ndgc'"),
        ('folders: ["{modle}/{seed}"]', "did you mean 'model'"),
        ('folders: ["{seed}/{seed}"]', "names something twice"),
        ("tag: {a: lr}", "tag"),
        ("- a", "expected a mapping"),
    ],
)
def test_a_map_that_makes_no_sense(
    elsewhere: StoreLocation, tmp_path: Path, text: str, said: str
) -> None:
    reference_run(tmp_path / "logs" / "sasrec" / "ml-100k" / "50" / "1")
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        import_history(tmp_path / "logs", elsewhere, tag_map=tmp_path / "map.yaml")
    assert not elsewhere.runs.exists()


def test_what_is_not_told_must_be_said(elsewhere: StoreLocation, tmp_path: Path) -> None:
    reference_run(tmp_path / "logs" / "sasrec" / "ml-100k" / "50")
    with pytest.raises(UserError, match="doesn't give the seed: add --seed"):
        import_history(tmp_path / "logs", elsewhere)
    assert not elsewhere.runs.exists()
    import_history(tmp_path / "logs", elsewhere, fixed={"seed": "3"})
    assert rows_of(elsewhere)[0]["seed"] == 3


def test_a_folder_without_history(elsewhere: StoreLocation, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no run in it"):
        import_history(tmp_path, elsewhere)
    event_file(tmp_path / "a" / "b" / "50" / "1", [(1, {"weird": 1.0})])
    with pytest.raises(UserError, match="it has 'weird', none of which the map knows"):
        import_history(tmp_path, elsewhere)
    assert not elsewhere.runs.exists()


CSV = """run,model,dataset,length,seed,epoch,t,NDCG@10/test,valid_ndcg,remarks
a,SASRec,100K,50,1,1,1700000000,0.05,0.06,fine
a,SASRec,100K,50,1,2,1700000010,0.07,,
b,xLSTM,ML-1M,75,2,1,1700000020,0.08,0.09,
"""


def test_a_csv_file_becomes_runs(elsewhere: StoreLocation, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"old\xff.csv")  # where it came from is kept as text
    path.write_text("\ufeff" + CSV, encoding="utf-8")
    assert len(import_history(path, elsewhere)[0].added) == 2
    assert import_history(path, elsewhere)[0].added == ()
    rows = {row["model"]: row for row in rows_of(elsewhere)}
    assert rows["sasrec"]["origin"] == "imported-csv"
    assert (rows["sasrec"]["NDCG@10/valid"], rows["sasrec"]["NDCG@10/test"]) == (0.06, 0.05)
    assert (rows["xlstm"]["dataset"], rows["xlstm"]["BestEpoch"]) == ("ml-1m", 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no column 'epoch'"),
        ("a,b\n1,2\n", "has no column 'epoch'"),
        ("epoch,lr,lr\n1,2,3\n", "has two columns 'lr'"),
        ("epoch,lr,LearningRate\n1,2,3\n", "two columns for one metric"),
        ("epoch,words\n1,2\n", "no column with a known metric"),
        ("epoch,lr\n1\n", "old.csv:2: has 1 cells where 2 columns"),
        ("epoch,lr\nx,1\n", "old.csv:2: 'epoch' is 'x', which isn't a number"),
        ("epoch,lr\n1.5,1\n", "old.csv:2: epoch is '1.5'"),
        ("epoch,lr\nnan,1\n", "old.csv:2: epoch is 'nan'"),
        ("epoch,lr\ninf,1\n", "old.csv:2: epoch is 'inf'"),
        ("epoch,lr\n-1,1\n", "old.csv:2: epoch is '-1'"),
        ("epoch,lr\n1,abc\n", "old.csv:2: 'lr' is 'abc'"),
        ("epoch,lr\n1,1\n1,2\n", "old.csv:3: 'lr' of epoch 1 is 2, and was 1 before: remove one"),
        ("run,seed,epoch,lr\na,1,1,1\na,2,2,1\n", "'a' had another cell or seed before"),
        ("epoch,lr,length\n1,1,0\n", "doesn't give the model"),
        ("epoch,lr,t\n1,1,inf\n", "old.csv:2: t is 'inf', not seconds"),
        ('epoch,lr\n1,"2\n', "is not CSV"),
        ("epoch,lr\n", "has no run in it"),
    ],
)
def test_a_csv_file_that_makes_no_sense(
    elsewhere: StoreLocation, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "old.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        import_history(path, elsewhere)
    assert not elsewhere.runs.exists()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"length": "0"}, "'0' is no length"),
        ({"length": "99999999999"}, "is no length"),
        ({"seed": "-1"}, "is no seed"),
        ({"model": "///"}, "'///' is no name"),
    ],
)
def test_places_that_no_run_can_have(
    elsewhere: StoreLocation, tmp_path: Path, place: dict[str, str], said: str
) -> None:
    (tmp_path / "x.csv").write_text("epoch,lr\n1,1\n")
    fixed = {"model": "m", "dataset": "d", "length": "5", "seed": "1"} | place
    with pytest.raises(UserError, match=said):
        import_history(tmp_path / "x.csv", elsewhere, fixed=fixed)


def test_figures_that_are_no_numbers_are_not_known(
    elsewhere: StoreLocation, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text("epoch,loss,lr,parameters\n1,nan,1,1e300\n2,inf,2,-5\n")
    fixed = {"model": "m", "dataset": "d", "length": "5", "seed": "1"}
    import_history(tmp_path / "x.csv", elsewhere, fixed=fixed)
    (row,) = rows_of(elsewhere, aggregate="max")
    assert (row["Loss/train (per target)"], row["LearningRate"]) == (None, 2.0)
    assert row["Model/TotalParams"] is None


@pytest.mark.parametrize("t", [float("nan"), float("inf"), -1e300, 1e300])
def test_times_that_are_none(elsewhere: StoreLocation, tmp_path: Path, t: float) -> None:
    folder = tmp_path / "sasrec" / "ml-100k" / "50" / "1"
    folder.mkdir(parents=True)
    event = Scalars(t, -5, {"NDCG@10/test": float("nan"), "EpochTime": 2.0})
    with (folder / "x.tfevents").open("wb") as file:
        write_scalars(file, t, iter([event]))
    import_history(folder, elsewhere)
    (row,) = rows_of(elsewhere, aggregate="max")
    assert (row["NDCG@10/test"], row["EpochTime"]) == (None, 2.0)
