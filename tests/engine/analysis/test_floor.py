"""The floor of a data set: which cell it is, and the sentences about it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import MeasuredStore

from engine.analysis.floor import (
    Floor,
    Standing,
    beside_floor,
    floor_line,
    floor_of,
    floors,
    standing_sentence,
    summary_sentence,
    with_sign,
)
from engine.cell import Cell
from engine.spec import SplitRule
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write

FLOOR = Floor(
    Cell("markov", "ml-100k", 50, "reference", "a", "8f"), "r", "Markov counts", 0.06949, ()
)


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    return MeasuredStore(tmp_path)


def found(store: MeasuredStore) -> list[Floor]:
    with closing(connect_reader(store.location)) as con:
        return floors(con, store.catalogue)


def give(store: MeasuredStore, run: str, **figures: float) -> None:
    with closing(connect_writer(store.location)) as con, write(con):
        for name, value in figures.items():
            con.execute(f"UPDATE summaries SET {name}_best = ? WHERE run = ?", (value, run))


def test_a_store_without_fitted_models_has_no_floor(store: MeasuredStore) -> None:
    store.add("sasrec")
    store.add("popularity", epochs=0)
    assert found(store) == []


def test_the_floor_is_chosen_on_validation_not_on_test(store: MeasuredStore) -> None:
    markov, popularity = store.add("markov"), store.add("popularity")
    store.add("sasrec")
    give(store, markov, valid_ndcg=0.07, test_ndcg=0.05)
    give(store, popularity, valid_ndcg=0.04, test_ndcg=0.09)
    (one,) = found(store)
    assert (one.run, one.label, one.value) == (markov, "Markov counts", 0.05)
    assert floor_line(one) == "Floor of ml-100k: Markov counts 0.0500"


def test_of_equal_lengths_the_shortest_is_the_floor(store: MeasuredStore) -> None:
    runs = {length: store.add("markov", length=length) for length in (75, 50, 100)}
    for run in runs.values():
        give(store, run, valid_ndcg=0.07)
    (one,) = found(store)
    assert one.run == runs[50]


def test_each_split_has_its_own_floor(store: MeasuredStore) -> None:
    other = SplitRule(kind="temporal", valid_share=0.1, test_share=0.1)
    one = store.add("markov")
    two = store.add("popularity", split=other)
    both = found(store)
    assert {floor.run for floor in both} == {one, two}
    for floor in both:
        row = dict(zip(("dataset", "protocol", "split", "checksum"), floor.comparable, strict=True))
        assert floor_of(both, row) == floor
        assert floor_of(both, row | {"checksum": "00"}) is None


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("above", "is above the floor, Markov counts 0.0695"),
        ("not told from", "can't be distinguished from the floor, Markov counts 0.0695"),
        ("below", "is below the floor, Markov counts 0.0695"),
    ],
)
def test_a_standing_is_a_sign_and_a_sentence(where: Standing, words: str) -> None:
    assert standing_sentence(where, FLOOR) == words
    alone = f"{words}, by the test over its users alone (one seed)"
    assert standing_sentence(where, FLOOR, one_seed=True) == alone
    assert with_sign("sasrec", where) == {"above": "sasrec", "below": "sasrec ▽"}.get(
        where, "sasrec ≈"
    )


def test_the_cells_of_one_place_are_counted_where_there_are_several() -> None:
    name = "Markov counts 0.0695"
    assert beside_floor(FLOOR, []) == name
    assert beside_floor(FLOOR, ["above"]) == f"{name} · above it"
    assert beside_floor(FLOOR, ["below"]) == f"{name} · ▽ below it"
    assert beside_floor(FLOOR, ["not told from", "above"]) == (
        f"{name} · 1 of 2 above it, 1 of 2 can't be distinguished from it"
    )


@pytest.mark.parametrize(
    ("above", "untold", "below", "words"),
    [
        (0, 0, 0, "no trained cell is compared with the floor, Markov counts 0.0695"),
        (1, 0, 0, "the one trained cell is above the floor, Markov counts 0.0695"),
        (0, 1, 0, "the one trained cell can't be distinguished from the floor, "
            "Markov counts 0.0695"),
        (0, 0, 1, "the one trained cell lies below the floor, Markov counts 0.0695"),
        (3, 0, 0, "3 of 3 trained cells are above the floor, Markov counts 0.0695"),
        (7, 2, 0, "2 of 9 trained cells can't be distinguished from the floor, "
            "Markov counts 0.0695"),
        (6, 2, 1, "2 of 9 trained cells can't be distinguished from the floor, "
            "Markov counts 0.0695, and 1 lies below it"),
        (0, 0, 2, "2 of 2 trained cells lie below the floor, Markov counts 0.0695"),
    ],
)  # fmt: skip
def test_the_summary_counts_what_is_no_better(
    above: int, untold: int, below: int, words: str
) -> None:
    some: list[Standing] = [*["above"] * above, *["not told from"] * untold, *["below"] * below]  # type: ignore[list-item]
    assert summary_sentence(FLOOR, some) == words
    if some:
        which = "all of them " if len(some) > 1 else ""
        lone = summary_sentence(FLOOR, some, len(some))
        assert lone == f"{words}; {which}tested over users alone (one seed)"
    if len(some) > 1:
        lone = summary_sentence(FLOOR, some, 1)
        assert lone == f"{words}; 1 of them tested over users alone (one seed)"
        both = summary_sentence(FLOOR, some, 1, len(some))
        cut = "all of them were still improving at their epoch limit, and may yet be better"
        assert both == f"{lone}; {cut}"


def test_a_cell_that_may_yet_be_better_is_told() -> None:
    one = summary_sentence(FLOOR, ["below"], improving=1)
    cut = "it was still improving at its epoch limit, and may yet be better"
    assert one == f"the one trained cell lies below the floor, Markov counts 0.0695; {cut}"
    some = summary_sentence(FLOOR, ["below", "above"], improving=1)
    assert some.endswith(
        "; 1 of them was still improving at its epoch limit, and may yet be better"
    )
