"""One notion of a cell: whatever is in a store, every screen, command and report has the same runs
in the same cells, and the same means of them; a store made anew has them again."""

from __future__ import annotations

import json
import math
import random
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import measured_runs
import pytest
from click.testing import CliRunner
from held import worked_on
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_pivot import pivot

from engine.analysis.columns.definitions import STD, parse_aggregate
from engine.analysis.comparison import by_cell, compare_rows
from engine.analysis.pivot.arranged import COLUMNS, PivotRow
from engine.analysis.pivot.stored import stored_pivot
from engine.cell import Cell
from engine.config import load_catalogue
from engine.errors import UsageError
from engine.lifecycle import PRESENT, STATES
from engine.report.gather import Wanted, gather
from engine.spec import RunSpec, SplitRule
from engine.spread import Spread, spread, spread_of_sums
from engine.store.compare.grouping import (
    Choice,
    cell_figures,
    cell_table,
    counted_runs,
)
from engine.store.compare.lines import cell_lines
from engine.store.compare.planned_seeds import seeds_of_cells
from engine.store.connect import connect_reader, connect_writer, create_or_migrate
from engine.store.database import StoreConnection, fetch, write
from engine.store.intake.folders import save_unsaved
from engine.store.intake.ingest import ingest
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.places import launch_cells
from engine.store.requests import enqueue
from tui.cli.main import seqbench

NDCG, LOSS = COLUMNS.index("NDCG@10/test"), COLUMNS.index("Loss/train")
CATALOGUE = load_catalogue()
BASE = CATALOGUE.run_spec("sasrec", "ml-100k", 50, 1)
SPLITS = (SplitRule(), SplitRule(kind="temporal"), SplitRule(kind="temporal", test_share=0.2))
figures = st.one_of(
    st.none(),
    st.floats(0, 1),
    st.sampled_from([0.0625, 0.1, 4888.11, math.nan, math.inf, -math.inf, 1e-300, 1e12]),
)


@dataclass(frozen=True)
class Given:
    """A run to put into a store."""

    spec: RunSpec
    state: str
    checksum: str | None
    ndcg: float | None
    loss: float | None
    deleted: bool


def spec_of(model: str, seed: int, split: SplitRule, lr: float) -> RunSpec:
    spec = CATALOGUE.run_spec(model, "ml-100k", 50, seed, overrides={"lr": lr})
    source = spec.source.model_copy(update={"split": split})
    return spec.model_copy(update={"source": source})


runs = st.builds(
    Given,
    spec=st.builds(
        spec_of,
        st.sampled_from(["sasrec", "sasrec", "xlstm"]),
        st.integers(1, 3),
        st.sampled_from(SPLITS),
        st.sampled_from([0.001, 0.001, 0.002]),
    ),
    state=st.sampled_from(("done", "done", "done", *STATES)),
    checksum=st.sampled_from([None, "8f0c", "8f0c", "77aa"]),
    ndcg=figures,
    loss=figures,
    deleted=st.sampled_from([False, False, False, True]),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    create_or_migrate(StoreLocation(folder / "runs.db"))
    return folder


def copied(empty: Path, folder: Path) -> StoreLocation:
    """A store of its own for each example, in a folder of its own."""
    store = Path(tempfile.mkdtemp(dir=folder)) / "store"
    shutil.copytree(empty, store)
    return StoreLocation(store / "runs.db")


def store_of(empty: Path, folder: Path, some: Sequence[Given]) -> StoreLocation:
    location = copied(empty, folder)
    ids = enqueue(location, [each.spec for each in some])
    with closing(connect_writer(location)) as con, write(con):
        for run, each in zip(ids, some, strict=True):
            con.execute(
                "UPDATE runs SET state = ?, checksum = ?, started = 1, best_test_ndcg = ?"
                " WHERE id = ?",
                (each.state, each.checksum, each.ndcg, run),
            )
            con.execute(
                "UPDATE summaries SET test_ndcg_best = ?, test_ndcg_max = ?, loss_sum_best = ?,"
                " loss_sum_max = ? WHERE run = ?",
                (each.ndcg, each.ndcg, each.loss, each.loss, run),
            )
            con.execute(
                "INSERT INTO events VALUES (?, 1, 0, 0, 'start', ?)",
                (run, json.dumps({"checksum": each.checksum})),
            )
            if each.deleted:
                con.execute(
                    "INSERT INTO requests (action, run, created) VALUES ('delete', ?, 0)", (run,)
                )
    return location


def told(mean: Any, deviation: Any) -> tuple[Any, Any]:
    """For a comparison within the rounding of the figures used here."""
    return tuple(
        None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)
        for value in (mean, deviation)
    )


def of_pivot(rows: Sequence[PivotRow], place: int) -> dict[Cell, tuple[Any, Any]]:
    return {
        Cell.named(row.cell): (
            row.figures[place],
            row.deviations[place] if row.deviations else None,
        )
        for row in rows
        if row.is_cell
    }


def oracle(con: StoreConnection, some: Sequence[Given]) -> dict[Cell, dict[str, Spread | None]]:
    """Cells as docs/protocol.md has them, from what was put in."""
    by_seed: dict[tuple[Any, ...], tuple[str, Given]] = {}
    ids = [row[0] for row in con.rows("SELECT id FROM runs ORDER BY position")]
    for run, each in sorted(zip(ids, some, strict=True), key=lambda pair: pair[0]):
        if each.state == "done" and not each.deleted:
            alike = each.spec.model_copy(update={"seed": 0}).model_dump_json()
            by_seed[alike, each.checksum, each.spec.seed] = run, each
    groups: dict[tuple[Any, ...], list[Given]] = {}
    for (alike, checksum, _), (_, each) in by_seed.items():
        groups.setdefault((alike, checksum), []).append(each)
    return {
        Cell(
            each[0].spec.model, "ml-100k", 50, each[0].spec.recipe, each[0].spec.settings(),
            each[0].checksum or "",
        ): {"ndcg": spread(run.ndcg for run in each), "loss": spread(run.loss for run in each)}
        for each in groups.values()
    }  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(runs, min_size=1, max_size=12))
def test_every_mean_of_a_cell_is_the_same(
    some: list[Given], empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = store_of(empty, tmp_path, some)
    choice = Choice()
    with closing(connect_reader(location)) as con:
        expected = oracle(con, some)
        counted = counted_runs(con, choice)
        assert set(counted.values()) == set(expected)
        rows = compare_rows(con)
        # Compare's cells, as the screen pages them.
        total, lines = cell_lines(con, choice, "test_ndcg_best", True)
        assert total == len(expected)
        paged = cell_figures(
            con, choice, [line.cell for line in lines], ["test_ndcg_best", "loss_sum_best"]
        )
        stored = stored_pivot(con, choice, "best").rows
        of_rows = pivot(rows, counted)
        places = launch_cells(con)
        try:
            material = gather(con, location, None, Wanted())
            reported = material.pivot
        except UsageError:
            reported = ()
    made = {counted[run]: cell for cell, run in _by_run(by_cell(rows, counted), rows, counted)}
    monkeypatch.setenv("SEQBENCH_DB", str(location.db))
    with worked_on(location):
        written = _json("compare", "--by-cell", "--format", "json")
        pivoted = _json("compare", "--pivot", "--format", "json")
    assert len(written) == len(expected)
    for name, place, column, source in (
        ("ndcg", NDCG, "NDCG@10/test", "test_ndcg_best"),
        ("loss", LOSS, "Loss/train", "loss_sum_best"),
    ):
        tables = [of_pivot(table, place) for table in (stored, of_rows, reported)]
        for cell, wanted in expected.items():
            figure = wanted[name]
            mean, deviation = (figure.mean, figure.deviation) if figure else (None, None)
            same = told(mean, deviation)
            assert (made[cell][column], made[cell][column + STD]) == same
            known = paged[cell.name].get(source)
            assert ((known.mean, known.deviation) if known else (None, None)) == same
            for table in tables:
                assert table[cell] == same
        means = sorted(((row[column], row[column + STD]) for row in made.values()), key=str)
        assert sorted(((row[column], row[column + STD]) for row in written), key=str) == means
        levels = [row for row in pivoted if row["level"] == "length"]
        assert sorted(
            (
                (row["figures"][column], row["deviations"] and row["deviations"][column])
                for row in levels
            ),
            key=str,
        ) == sorted(tables[0].values(), key=str)
    for place, found in places.items():
        scores = [wanted["ndcg"] for cell, wanted in expected.items() if cell.place == place]
        best = max((score.mean for score in scores if score), default=None)
        assert (found.score.mean if found.score else None) == told(best, None)[0]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(runs, min_size=1, max_size=12))
def test_the_seeds_of_a_cell_to_come_are_those_of_its_runs(
    some: list[Given], empty: Path, tmp_path: Path
) -> None:
    location = store_of(empty, tmp_path, some)
    with closing(connect_reader(location)) as con:
        ids = [row[0] for row in fetch(con, "SELECT id FROM runs ORDER BY position")]
        there = [
            each
            for _, each in sorted(zip(ids, some, strict=True), key=lambda pair: pair[0])[::-1]
            if each.state in PRESENT and not each.deleted
        ]
        cells = {to_come(each.spec) for each in some}
        found = seeds_of_cells(con, cells)
        done = set(counted_runs(con, Choice()).values())
    for cell in cells:
        own = [each for each in there if to_come(each.spec) == cell]
        data = next((each.checksum for each in own if each.checksum), None)
        expected = {each.spec.seed for each in own if each.checksum in (None, data)}
        assert found.get(cell, frozenset()) == expected
    assert {replace(cell, checksum="") for cell in done} <= set(found)


def to_come(spec: RunSpec) -> Cell:
    return Cell(spec.model, spec.dataset, spec.length, spec.recipe, spec.settings(), "")


def _by_run(
    cells: list[Any], rows: list[Any], counted: dict[str, Cell]
) -> Iterator[tuple[Any, str]]:
    """Each row of `by_cell`, which are in the order of their first runs, with that run."""
    first: dict[Cell, str] = {}
    for row in rows:
        if row["run"] in counted:
            first.setdefault(counted[row["run"]], row["run"])
    yield from zip(cells, first.values(), strict=True)


def _json(*arguments: str) -> Any:
    result = CliRunner().invoke(seqbench, arguments, prog_name="seqbench")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(runs, min_size=1, max_size=6), chance=st.randoms(use_true_random=False))
def test_a_store_made_anew_shows_the_same(
    some: list[Given], chance: random.Random, empty: Path, tmp_path: Path
) -> None:
    location = copied(empty, tmp_path)
    ids = enqueue(location, [each.spec for each in some])
    with closing(connect_writer(location)) as con:
        save_unsaved(con, location)
        for run, each in zip(ids, some, strict=True):
            if each.state == "queued":
                continue
            with write(con):
                con.execute("UPDATE runs SET state = 'running' WHERE id = ?", (run,))
            end = each.state if each.state in ("done", "failed", "cancelled") else None
            lines = measured_runs.journal(
                each.spec.model, "ml-100k", 50, chance.randrange(9), 2, end
            )
            lines[0]["checksum"] = each.checksum
            text = "".join(json.dumps({"seq": n, **line}) + "\n" for n, line in enumerate(lines))
            location.folder(run).journal(1).write_text(text)
            ingest(con, location.folder(run), 1)
        save_unsaved(con, location)
    before = _shown(location)
    assert rebuild(location) == len(some)
    assert _shown(location) == before


def _shown(location: StoreLocation) -> list[Any]:
    found: list[Any] = []
    with closing(connect_reader(location)) as con:
        for aggregate in ("best", "max"):
            rows = compare_rows(con, aggregate=aggregate)
            counted = counted_runs(con, Choice())
            found += [rows, by_cell(rows, counted), counted]
            found.append(stored_pivot(con, Choice(), parse_aggregate(aggregate)).rows)
        found.append(launch_cells(con))
    return found


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=30))
def test_sums_tell_the_same_spread_or_nothing(values: list[float]) -> None:
    squares = sum(value * value for value in values)
    found = spread_of_sums(len(values), sum(values), squares, min(values), max(values))
    wanted = spread(values)
    assert wanted is not None
    if found is None:
        assert wanted.deviation is not None
        assert wanted.deviation <= 0.004 * max(map(abs, values))
    else:
        mean, deviation = told(wanted.mean, wanted.deviation)
        assert (found.mean, found.deviation, found.count) == (mean, deviation, wanted.count)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    figure=st.floats(-1e9, 1e9),
    steps=st.lists(st.integers(-1000, 1000), min_size=2, max_size=12, unique=True),
)
def test_a_store_tells_figures_apart_that_are_close_together(
    figure: float, steps: list[int], empty: Path, tmp_path: Path
) -> None:
    losses = [figure + step * 1e-3 for step in steps]
    some = [
        Given(spec_of("sasrec", seed, SPLITS[0], 0.001), "done", "8f0c", None, loss, False)
        for seed, loss in enumerate(losses)
    ]
    location = store_of(empty, tmp_path, some)
    with closing(connect_reader(location)) as con:
        (row,) = cell_table(con, Choice(), ["loss_sum_best"])
    mean, deviation = told(statistics.fmean(losses), statistics.stdev(losses))
    assert row.figures["loss_sum_best"].spread == Spread(mean, deviation, len(losses))
