"""What one machine exports another compares just the same."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured_runs import MeasuredStore
from row_pivot import pivot

from engine.analysis.columns.definitions import AGGREGATES
from engine.analysis.comparison import by_cell, compare_rows
from engine.analysis.export import FORMATS, format_rows
from engine.analysis.pairs.cells import pairs, ranked_cells
from engine.analysis.pairs.text import format_pairs
from engine.analysis.pivot.text import format_pivot
from engine.errors import UsageError
from engine.interchange.pack import Packed, pack
from engine.interchange.source import look, take
from engine.interchange.unpack import unpack
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.requests import change_tags, set_note

SUFFIXES = (".tar.gz", ".tar.zst")
ENDED = "state:done,failed,cancelled,lost"


def export(location: StoreLocation, output: Path, **options: object) -> Packed:
    with closing(connect_reader(location)) as con:
        return pack(con, location, output, **options)  # type: ignore[arg-type]


def comparisons(
    location: StoreLocation,
    filter_: str,
    aggregates: Sequence[str] = ("best",),
    formats: Sequence[str] = FORMATS,
    pivot_formats: Sequence[str] = ("table", "csv", "md", "latex", "json"),
) -> dict[str, str | bytes]:
    """Every table that can be made of the runs that match, in every format."""
    found: dict[str, str | bytes] = {}
    with closing(connect_reader(location)) as con:
        for aggregate in aggregates:
            rows = compare_rows(con, aggregate=aggregate, filter=filter_)
            counted = counted_runs(con, Choice(filter_, aggregate))
            for form in formats:
                found[f"{aggregate} {form}"] = format_rows(rows, form)
                found[f"{aggregate} by cell {form}"] = format_rows(by_cell(rows, counted), form)
            for form in pivot_formats:
                found[f"{aggregate} pivot {form}"] = format_pivot(pivot(rows, counted), form)
        rows = compare_rows(con, filter=filter_, sort="run")
        counted = counted_runs(con, Choice(filter_))
    cells, problems = ranked_cells(location, rows, counted)
    found["problems"] = "\n".join(problems)
    for form in formats:
        found[f"pairs {form}"] = format_pairs(
            pairs(cells, "ndcg", masked=False), "ndcg", form, masked=False
        )
    return found


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_comparison_elsewhere_is_the_same_byte_for_byte(
    lab: MeasuredStore, elsewhere: StoreLocation, tmp_path: Path, suffix: str
) -> None:
    archive = tmp_path / f"lab{suffix}"
    packed = export(lab.location, archive)
    imported = unpack(archive, elsewhere)
    assert imported.added == packed.runs
    assert (imported.present, imported.renamed) == ((), {})
    aggregates = AGGREGATES if suffix == ".tar.gz" else ("best",)
    here = comparisons(lab.location, ENDED, aggregates)
    assert here["problems"] == ""
    assert len(here["pairs csv"].splitlines()) > 10
    assert comparisons(elsewhere, ENDED, aggregates) == here


def test_what_still_runs_or_waits_is_left_out_and_named(lab: MeasuredStore, tmp_path: Path) -> None:
    packed = export(lab.location, tmp_path / "lab.tar.gz")
    assert len(packed.left_out) == 2
    assert all("is left out: it is" in sentence for sentence in packed.left_out)


def test_a_filter_chooses_and_nothing_chosen_writes_nothing(
    lab: MeasuredStore, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    packed = export(lab.location, tmp_path / "some.tar.gz", filter="model:sasrec seed:42")
    assert {run.split("-")[0] for run in packed.runs} == {"sasrec"}
    assert unpack(tmp_path / "some.tar.gz", elsewhere).added == packed.runs
    assert export(lab.location, tmp_path / "none.tar.gz", filter="model:nobody").runs == ()
    assert not (tmp_path / "none.tar.gz").exists()
    with pytest.raises(UsageError, match=r"end the name in \.tar\.zst or \.tar\.gz"):
        export(lab.location, tmp_path / "lab.zip")


def test_the_same_runs_make_the_same_archive(lab: MeasuredStore, tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
        export(lab.location, one)
        export(lab.location, other)
        assert one.read_bytes() == other.read_bytes()


def test_importing_again_changes_nothing(
    lab: MeasuredStore, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    archive = tmp_path / "lab.tar.gz"
    packed = export(lab.location, archive, filter="length:50")
    unpack(archive, elsewhere)
    set_note(elsewhere, packed.runs[0], "looked at here")
    change_tags(elsewhere, packed.runs[:1], ["mine"], [])
    before = comparisons(elsewhere, "")
    files = sorted(path.name for path in elsewhere.runs.rglob("*"))
    again = unpack(archive, elsewhere)
    assert (again.added, again.present) == ((), packed.runs)
    assert comparisons(elsewhere, "") == before
    assert sorted(path.name for path in elsewhere.runs.rglob("*")) == files
    with closing(connect_reader(elsewhere)) as con:
        row = con.row("SELECT note, tags FROM runs WHERE id = ?", packed.runs[:1])
    assert tuple(row or ()) == ("looked at here", '["mine"]')


def test_notes_and_tags_travel_even_before_they_are_in_the_folder(
    lab: MeasuredStore, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    (run, *_) = export(lab.location, tmp_path / "some.tar.gz", filter="seed:9").runs
    set_note(lab.location, run, "the one for the paper")
    change_tags(lab.location, [run], ["paper"], [])
    export(lab.location, tmp_path / "some.tar.gz", filter="seed:9")
    unpack(tmp_path / "some.tar.gz", elsewhere)
    with closing(connect_reader(elsewhere)) as con:
        row = con.row("SELECT note, tags FROM runs WHERE id = ?", (run,))
    assert tuple(row or ()) == ("the one for the paper", '["paper"]')


def test_another_run_of_that_id_stays_and_the_imported_one_is_renamed(
    lab: MeasuredStore, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    archive = tmp_path / "some.tar.gz"
    (run,) = export(lab.location, archive, filter="seed:9").runs
    unpack(archive, elsewhere)
    journal = elsewhere.folder(run).journal(1)
    other = journal.read_text().replace('"epoch":1,', '"epoch":1, ').replace("0.001", "0.002")
    journal.write_text(other)
    renamed = unpack(archive, elsewhere)
    (name,) = renamed.renamed.values()
    assert renamed.added == (run,)
    assert name.startswith(run)
    assert journal.read_text() == other
    again = unpack(archive, elsewhere)
    assert (again.added, again.present, again.renamed) == ((), (run,), {})
    with closing(connect_reader(elsewhere)) as con:
        assert {row[0] for row in con.rows("SELECT id FROM runs")} == {run, name}


def test_what_a_crash_left_half_done_is_finished_by_the_next_import(
    lab: MeasuredStore, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    archive = tmp_path / "some.tar.gz"
    runs = export(lab.location, archive, filter="length:50 model:sasrec dataset:ml-100k").runs
    unpack(archive, elsewhere)
    elsewhere.db.unlink()  # as if it died before the store knew of the folders
    (elsewhere.runs / ".import-dead").mkdir()
    assert unpack(archive, elsewhere).present == runs
    assert not list(elsewhere.runs.glob(".import-*"))
    assert comparisons(elsewhere, "") == comparisons(
        lab.location, "length:50 model:sasrec dataset:ml-100k"
    )


def test_weights_travel_where_they_are_asked_for(
    lab: MeasuredStore, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    (run,) = export(lab.location, tmp_path / "bare.tar.gz", filter="seed:9").runs
    folder = lab.location.folder(run)
    for path in (folder.best_model, folder.checkpoint(1), folder.checkpoint_before(1)):
        path.write_bytes(path.name.encode())
    export(lab.location, tmp_path / "whole.tar.gz", filter="seed:9", weights=True)
    unpack(tmp_path / "whole.tar.gz", elsewhere)
    there = elsewhere.folder(run)
    assert there.best_model.read_bytes() == b"model.pt"
    assert there.checkpoint_before(1).read_bytes() == b"checkpoint-1.before.pt"
    for path in (folder.best_model, folder.checkpoint(1), folder.checkpoint_before(1)):
        path.unlink()


def test_lists_travel_with_every_run_that_has_them(
    tmp_path: Path, elsewhere: StoreLocation
) -> None:
    (tmp_path / "here").mkdir()
    store = MeasuredStore(tmp_path / "here")
    run, other = store.add(seed=1), store.add(seed=2)
    folder = store.location.folder(run)
    for path in (folder.test_top, folder.test_top_masked):
        path.write_bytes(path.name.encode())
    export(store.location, tmp_path / "runs.tar.zst")
    unpack(tmp_path / "runs.tar.zst", elsewhere)
    there = elsewhere.folder(run)
    assert there.test_top.read_bytes() == b"test_top.npy"
    assert there.test_top_masked.read_bytes() == b"test_top_masked.npy"
    assert not elsewhere.folder(other).test_top.exists()
    folder.test_top.write_bytes(b"others")
    export(store.location, tmp_path / "other.tar.zst")
    assert list(unpack(tmp_path / "other.tar.zst", elsewhere).renamed) == [run]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    return lambda: Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))


RUN = st.tuples(
    st.sampled_from(["sasrec", "bert4rec", "xlstm"]),
    st.sampled_from([50, 75]),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["done", "failed", "cancelled"]),
    st.text(max_size=20),
    st.integers(0, 30),
)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs=st.lists(RUN, min_size=1, max_size=3), suffix=st.sampled_from(SUFFIXES))
def test_any_runs_make_the_round_trip(
    make: Callable[[], Path], runs: list[tuple[str, int, int, int, str, str, int]], suffix: str
) -> None:
    folder = make()
    store = MeasuredStore(folder / "here")
    for model, length, seed, epochs, end, words, users in runs:
        run = store.add(model, length=length, seed=seed, epochs=epochs, end=end)
        set_note(store.location, run, words)
        if users:
            ranks = np.random.default_rng(users).integers(1, 50, (2, users), dtype=np.int32)
            np.save(store.location.folder(run).test_ranks, ranks)
    random.seed()
    export(store.location, folder / f"a{suffix}")
    there = StoreLocation(folder / "there" / "runs.db")
    unpack(folder / f"a{suffix}", there)
    here, elsewhere = (
        comparisons(each, "", formats=("csv",), pivot_formats=("json",))
        for each in (store.location, there)
    )
    assert elsewhere == here


def test_a_model_file_in_an_archive_is_kept_and_said_not_to_run(
    tmp_path: Path, elsewhere: StoreLocation
) -> None:
    (tmp_path / "here").mkdir()
    store = MeasuredStore(tmp_path / "here")
    runs = [store.add(seed=seed) for seed in (1, 2)]
    store.location.folder(runs[0]).code.write_text("raise SystemExit\n")
    export(store.location, archive := tmp_path / "runs.tar.zst")
    assert len(look(archive, elsewhere).passed_over) == 1
    imported, sentences = take(archive, elsewhere)
    assert sorted(imported.added) == sorted(runs)
    (sentence,) = sentences
    assert "A run has a model of its own" in sentence
    assert "not run" in sentence
    assert elsewhere.folder(runs[0]).code.read_text() == "raise SystemExit\n"
