"""Raw epochs for other programs: golden files pin the formats.

``SEQBENCH_WRITE_GOLDEN=1`` writes them anew.
"""

from __future__ import annotations

import base64
import csv
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import MeasuredStore

from engine import __version__
from engine.errors import UsageError, UserError
from engine.interchange.epochs import COLUMNS, write_epochs
from engine.interchange.eventfolders import tags, write_event_folders
from engine.interchange.history import import_history
from engine.interchange.manifest import read_manifest
from engine.interchange.pack import pack
from engine.interchange.tagmap import load_tag_map
from engine.metrics import EPOCH_MEASURES
from engine.store.connect import connect_reader
from engine.store.database import StoreConnection, write
from engine.store.location import StoreLocation
from engine.store.series import epochs

GOLDEN = Path(__file__).parent / "golden"
ONE = "seed:9"


@pytest.fixture
def con(lab: MeasuredStore) -> Iterator[StoreConnection]:
    with closing(connect_reader(lab.location)) as connection:
        yield connection


def pinned(name: str, content: str) -> None:
    path = GOLDEN / name
    if os.environ.get("SEQBENCH_WRITE_GOLDEN"):
        path.write_text(content)
    assert content == path.read_text()


def settled(text: str, run: str) -> str:
    """Without the random end of the run's id."""
    return text.replace(run, "sasrec-ml-100k-l50-s9-abcde")


def the_run(con: StoreConnection) -> str:
    return str(con.rows("SELECT id FROM runs WHERE seed = 9")[0][0])


def test_csv_is_pinned(con: StoreConnection, tmp_path: Path) -> None:
    assert write_epochs(con, tmp_path / "e.csv", "csv", filter=ONE) == 14
    pinned("epochs.csv", settled((tmp_path / "e.csv").read_text(), the_run(con)))


def test_csv_holds_every_epoch_and_digit(con: StoreConnection, tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    rows = write_epochs(con, path, "csv")
    read = list(csv.DictReader(path.read_text().splitlines()))
    assert len(read) == rows == con.rows("SELECT count(*) FROM epochs")[0][0]
    run = the_run(con)
    for row, known in zip((r for r in read if r["run"] == run), epochs(con, run), strict=True):
        for name in EPOCH_MEASURES:
            assert row[name] == ("" if known[name] is None else repr(known[name]))


def test_parquet_holds_what_csv_does(con: StoreConnection, tmp_path: Path) -> None:
    from pyarrow import parquet

    assert write_epochs(con, tmp_path / "e.parquet", "parquet", filter=ONE) == 14
    table = parquet.read_table(tmp_path / "e.parquet")
    kinds = "\n".join(f"{field.name}: {field.type}" for field in table.schema) + "\n"
    pinned("epochs.parquet.schema", kinds)
    known = epochs(con, the_run(con))
    for name in COLUMNS[9:]:
        assert table.column(name).to_pylist() == [row[name] for row in known]
    assert set(table.column("gpu_memory_mib").to_pylist()) == {None}


def test_without_its_package_parquet_says_what_to_do(
    con: StoreConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'seqbench\[parquet\]'"):
        write_epochs(con, tmp_path / "e.parquet", "parquet")
    assert list(tmp_path.glob("*")) == []


def test_event_files_are_pinned(con: StoreConnection, tmp_path: Path) -> None:
    assert write_event_folders(con, tmp_path / "tb", filter=ONE) == 1
    (path,) = (tmp_path / "tb" / the_run(con)).iterdir()
    text = "\n".join(
        base64.b64encode(path.read_bytes()).decode()[at : at + 100] for at in range(0, 20_000, 100)
    )
    pinned(f"{path.name}.base64", text.rstrip() + "\n")


def test_event_files_come_back_as_they_went(
    con: StoreConnection, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    write_event_folders(con, tmp_path / "tb", filter="model:xlstm state:done length:50")
    assert load_tag_map().measures().items() >= tags().items(), "the map knows what is written"
    added = import_history(tmp_path / "tb", elsewhere)[0].added
    runs = con.rows(
        "SELECT id, seed FROM runs WHERE model = 'xlstm' AND length = 50 AND state = 'done'"
    )
    assert len(added) == len(runs) == 2
    with closing(connect_reader(elsewhere)) as there:
        for run, seed in runs:
            (other,) = there.rows("SELECT id FROM runs WHERE seed = ?", (seed,))[0]
            for before, after in zip(epochs(con, run), epochs(there, other), strict=True):
                for name in EPOCH_MEASURES:
                    if name != "eval_seconds":  # no tag of the reference
                        assert after[name] == pytest.approx(before[name], rel=1e-6), name


@pytest.mark.slow
def test_tensorboard_shows_the_runs(con: StoreConnection, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    write_event_folders(con, tmp_path / "tb", filter="state:done length:75")
    shown = EventMultiplexer().AddRunsFromDirectory(str(tmp_path / "tb"))
    shown.Reload()
    run = con.rows("SELECT id FROM runs WHERE length = 75")[0][0]
    assert len(shown.Runs()) == 6
    known = epochs(con, run)
    found = shown.Scalars(run, "NDCG@10/test")
    assert [s.value for s in found] == pytest.approx([e["test_ndcg"] for e in known], rel=1e-6)
    assert [s.step for s in found] == [e["epoch"] for e in known]


def test_an_archives_manifest_is_pinned(
    con: StoreConnection, lab: MeasuredStore, tmp_path: Path
) -> None:
    import tarfile

    pack(con, lab.location, tmp_path / "x.tar.gz", filter=ONE)
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        names = tar.getnames()
        text = tar.extractfile("manifest.json").read().decode()  # type: ignore[union-attr]
    pinned("archive.members", settled("\n".join(names), the_run(con)) + "\n")
    manifest = read_manifest(text.encode())
    assert manifest.text() == text
    for files in manifest.runs.values():
        for entry in files.values():
            text = text.replace(entry.sha256, "0" * 64).replace(f": {entry.bytes},", ": 0,")
    text = text.replace(f'"{__version__}"', '"0"')
    pinned("archive.manifest.json", settled(text, the_run(con)))


def test_text_that_would_act_is_inert(lab: MeasuredStore, tmp_path: Path) -> None:
    from engine.store.connect import connect_writer

    with closing(connect_writer(lab.location)) as writer:
        run = the_run(writer)
        with write(writer):
            writer.execute("UPDATE runs SET suite = '=cmd()' WHERE id = ?", (run,))
        write_epochs(writer, tmp_path / "e.csv", "csv", filter=ONE)
        with write(writer):
            writer.execute("UPDATE runs SET suite = NULL WHERE id = ?", (run,))
    assert ",'=cmd()," in (tmp_path / "e.csv").read_text()


def test_a_place_that_cannot_be_written(con: StoreConnection, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for call in (
        lambda: write_epochs(con, tmp_path / "no" / "e.csv", "csv"),
        lambda: write_event_folders(con, tmp_path / "file"),
    ):
        with pytest.raises(UserError, match="can't be written"):
            call()


def test_nothing_that_matches_writes_nothing(con: StoreConnection, tmp_path: Path) -> None:
    assert write_epochs(con, tmp_path / "e.csv", "csv", filter="model:nobody") == 0
    assert write_event_folders(con, tmp_path / "tb", filter="model:nobody") == 0
    assert list(tmp_path.iterdir()) == []
