"""Where cells stand against the floor of their data set, from the ranks of real run folders."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from floor_stores import SHIFTS, STANDINGS, add, floor_store, ranks
from hypothesis import given
from hypothesis import strategies as st
from measured_runs import MeasuredStore

from engine.analysis.comparison import compare_rows
from engine.analysis.floor import Floor, Standing, floors
from engine.analysis.pairs import standings
from engine.analysis.pairs.cells import against, pairs, ranked_cells
from engine.analysis.pairs.standings import FloorTest, Standings, floor_test, standings_of
from engine.cell import Cell
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    return floor_store(tmp_path)


def read(
    store: MeasuredStore, kept: dict[object, FloorTest | None] | None = None
) -> dict[Cell, tuple[Floor, Standing]]:
    with closing(connect_reader(store.location)) as con:
        cells = set(counted_runs(con, Choice()).values())
        return Standings(con, store.location, floors(con, store.catalogue), kept).of(con, cells)


def by_model(found: Mapping[Cell, tuple[Floor, Standing]]) -> dict[str, Standing]:
    return {cell.model: where for cell, (_, where) in found.items()}


def test_trained_cells_stand_above_at_or_below_their_floor(store: MeasuredStore) -> None:
    found = read(store)
    assert by_model(found) == STANDINGS
    assert {floor.label for floor, _ in found.values()} == {"Markov counts"}


def test_marks_agree_with_the_verdict_of_all_pairs(store: MeasuredStore) -> None:
    with closing(connect_reader(store.location)) as con:
        rows = compare_rows(con, filter="-model:popularity", sort="run", descending=False)
        counted = counted_runs(con, Choice("-model:popularity"))
    cells, _ = ranked_cells(store.location, rows, counted)
    word = {"better": "above", "no difference shown": "not told from", "worse": "below"}
    other = {"better": "worse", "worse": "better"}
    verdicts = {}
    for pair in pairs(cells, "ndcg", masked=False):
        if pair.b.cell.model == "markov":
            assert pair.verdict is not None
            verdicts[pair.a.cell.model] = word[pair.verdict]
        elif pair.a.cell.model == "markov":
            assert pair.verdict is not None
            verdicts[pair.b.cell.model] = word[other.get(pair.verdict, pair.verdict)]
    assert verdicts == by_model(read(store))


def test_they_are_what_the_test_of_all_together_says(store: MeasuredStore) -> None:
    with closing(connect_reader(store.location)) as con:
        rows = compare_rows(con, sort="run", descending=False)
        counted = counted_runs(con, Choice())
    cells, _ = ranked_cells(store.location, rows, counted)
    (floor,) = [cell for cell in cells if cell.cell.model == "markov"]
    together = against(cells, floor, "ndcg", masked=False)
    assert {pair.a.cell.model for pair in together} == set(SHIFTS)
    assert {pair.claim.family.comparisons for pair in together if pair.claim.family} == {3}
    one = standings_of({pair.a.cell: floor_test(pair) for pair in together})
    assert one == {cell: where for cell, (_, where) in read(store).items()}


def test_one_seed_of_a_fitted_model_allows_a_conclusion(store: MeasuredStore) -> None:
    with closing(connect_reader(store.location)) as con:
        rows = compare_rows(con, sort="run", descending=False)
        cells, _ = ranked_cells(store.location, rows, counted_runs(con, Choice()))
    (floor,) = [cell for cell in cells if cell.cell.model == "markov"]
    assert len(floor.ranks) == 1
    assert all(pair.verdict for pair in against(cells, floor, "ndcg", masked=False))


def test_what_the_users_alone_cannot_tell_is_marked_with_one_seed_too(store: MeasuredStore) -> None:
    add(store, "gru4rec", 1, 0.0)
    add(store, "hstu", 1, 1.2)
    found = by_model(read(store))
    assert (found["gru4rec"], found["hstu"]) == ("not told from", "above")


def test_ranks_are_read_once_and_only_of_cells_that_changed(store: MeasuredStore) -> None:
    kept: dict[object, FloorTest | None] = {}
    before = read(store, kept)
    with closing(connect_reader(store.location)) as con:
        runs = counted_runs(con, Choice())
    files = [store.location.folder(run).test_ranks for run in runs]
    for file in files:
        file.unlink()
    assert read(store, kept) == before
    assert read(store) == {}
    add(store, "sasrec", 4, 1.2)
    np.save(
        store.location.folder(next(r for r, c in runs.items() if c.model == "markov")).test_ranks,
        ranks(0.0, 42),
    )
    assert set(by_model(read(store, kept))) == set(SHIFTS)


def test_of_very_many_cells_only_those_asked_for_are_read(
    store: MeasuredStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(store)
    monkeypatch.setattr(standings, "MOST_RUNS", 1)
    kept: dict[object, FloorTest | None] = {}
    with closing(connect_reader(store.location)) as con:
        every = Standings(con, store.location, floors(con, store.catalogue), kept)
        (cell,) = [cell for cell in whole if cell.model == "xlstm"]
        assert every.of(con, [cell]) == {cell: whole[cell]}
        assert every.of_dataset(con, "ml-100k") == {}
        assert len(kept) == 1
        monkeypatch.setattr(standings, "MOST_SEEDS", 2)
        none = Standings(con, store.location, floors(con, store.catalogue), kept)
        assert none.of(con, [cell]) == {}


def test_without_a_floor_or_ranks_nothing_is_said(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    add(store, "sasrec", 1, 0.0)
    assert read(store) == {}
    store.add("markov")  # its folder has no ranks
    assert read(store) == {}


@given(
    st.lists(
        st.tuples(st.floats(-1, 1).filter(bool), st.floats(0, 1), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_correction_never_turns_a_cell_over(some: list[tuple[float, float, bool]]) -> None:
    """More comparisons only make "not told from" of "above" or "below"."""
    found = {
        Cell(str(n), "d", 50, "", "", ""): FloorTest(mean, p, told)
        for n, (mean, p, told) in enumerate(some)
    }
    alone = {cell: standings_of({cell: test})[cell] for cell, test in found.items()}
    together, cautious = standings_of(found), standings_of(found, len(found))
    for cell, test in found.items():
        assert together[cell] in (alone[cell], "not told from")
        assert cautious[cell] in (together[cell], "not told from")
        if not test.told:
            assert together[cell] == alone[cell] == cautious[cell]
