"""Names of cells among those of their model, data set and length."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_runs import MeasuredStore

from engine.analysis.labels.stored import (
    label_of_run,
    labels_of_runs,
    newest_runs,
    stored_labels,
)
from engine.analysis.labels.words import Described, cell_labels, cell_title
from engine.cell import Cell
from engine.config import load_catalogue
from engine.spec import Filter, SplitRule
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader
from engine.store.intake.rebuild import rebuild

RECIPES: dict[str, dict[str, str] | None] = {
    "reference": {"lr": "0.001", "epochs": "200", "dropout": "0.2"},
    "tuned": {"lr": "0.0005", "epochs": "200", "dropout": "0.1"},
    "reference/long": None,
}


def described(
    profile: str = "reference",
    own: Mapping[str, str] | None = None,
    digest: str = "",
    checksum: str = "8f0c8f0c8f0c",
    **conditions: str,
) -> Described:
    """A cell of a recipe with some settings of its own."""
    given = {**(RECIPES[profile] or RECIPES["reference"] or {}), **(own or {})}
    settings = digest or str(sorted((given | conditions).items()))
    cell = Cell("sasrec", "ml-100k", 50, profile, settings, checksum)
    plain = set(conditions.values()) <= {"leave-one-out", "none"}
    return Described(cell, given, conditions, RECIPES[profile], plain)


def named(*cells: Described) -> list[str]:
    labels = cell_labels(cells)
    return [labels[each.cell] for each in cells]


def test_what_differs_is_the_name() -> None:
    assert named(described(), described(own={"epochs": "3"})) == ["reference", "epochs=3"]
    assert named(
        described(),
        described(own={"lr": "0.0005"}),
        described(own={"dropout": "0.3"}),
        described(own={"lr": "0.0005", "dropout": "0.3"}),
    ) == ["reference", "lr=0.0005", "dropout=0.3", "lr=0.0005 dropout=0.3"]
    assert cell_title(described().cell, "epochs=3") == "sasrec L50 epochs=3"


def test_a_cell_alone_has_no_name_of_its_own() -> None:
    other = replace(described().cell, length=100)
    assert named(described(own={"epochs": "3"}), Described(other)) == ["", ""]


def test_settings_in_which_no_two_cells_differ_are_not_named() -> None:
    short = {"epochs": "3"}
    cells = described(own=short), described(own={**short, "lr": "0.01"}), described("tuned", short)
    assert named(*cells[:2]) == ["reference", "lr=0.01"]
    assert named(*cells) == ["reference", "reference lr=0.01", "tuned"]


def test_a_recipe_is_not_said_alone_of_what_departs_from_it() -> None:
    cells = described(), described("tuned", {"epochs": "3"})
    assert named(*cells) == ["reference", "tuned epochs=3"]
    # Of a setting that the cells have in common nothing is said.
    assert named(described("tuned"), described(own={"lr": "0.0005"})) == ["tuned", "reference"]


def test_where_the_recipe_is_unknown_all_that_differs_is_named() -> None:
    one = replace(described(), recipe=None)
    other = replace(described(own={"epochs": "3"}), recipe=None)
    assert named(one, other) == ["epochs=200", "epochs=3"]


def test_conditions_tell_cells_apart() -> None:
    cells = [described(split="leave-one-out"), described(split="temporal")]
    assert named(*cells) == ["split leave-one-out", "split temporal"]
    data = [described(), described(checksum="77aa77aa77aa"), described(checksum="")]
    assert named(*data) == ["data 8f0c8f0c", "data 77aa77aa", "data unknown"]
    assert named(*cells, described(own={"lr": "1"}, split="temporal")) == [
        "split leave-one-out",
        "reference split temporal",
        "lr=1",
    ]


def test_what_departs_in_nothing_is_called_by_its_recipe() -> None:
    usual = {"split": "leave-one-out", "filter": "none"}
    cells = [
        described(**usual),
        described(**usual | {"split": "temporal"}),
        described(**usual | {"filter": "k_core=5"}),
    ]
    assert named(*cells) == ["reference", "split temporal", "filter k_core=5"]
    assert named(*cells[:2]) == ["split leave-one-out", "split temporal"]
    other = described(own={"lr": "1"}, **usual)
    assert named(*cells[:2], other) == ["reference", "split temporal", "lr=1"]
    # Of two that depart in nothing, the name would be of both.
    copy = described(checksum="77aa77aa77aa", **usual)
    assert named(*cells, copy)[0] == "split leave-one-out filter none data 8f0c8f0c"


def test_a_digest_stands_where_nothing_else_tells() -> None:
    cells = [described(digest="aaaa"), described(digest="bbbb"), described(own={"lr": "1"})]
    assert named(*cells) == ["aaaa", "bbbb", "lr=1"]
    bare = [Described(Cell("a", "b", 1, "reference", digest, "")) for digest in ("x", "y")]
    assert named(*bare) == ["x", "y"]
    assert named(described(checksum="8f0c8f0c1"), described(checksum="8f0c8f0c2")) == [
        "data 8f0c8f0c1",
        "data 8f0c8f0c2",
    ]


cells_of_a_place = st.lists(
    st.builds(
        described,
        st.sampled_from([*RECIPES]),
        st.fixed_dictionaries(
            {},
            optional={
                "lr": st.sampled_from(["0.001", "0.0005", "1"]),
                "epochs": st.sampled_from(["3", "200"]),
                "dropout": st.sampled_from(["0.1", "0.2", "0.3"]),
            },
        ),
        st.sampled_from(["", "", "", "aaaa", "bbbb"]),
        st.sampled_from(["8f0c8f0c1", "8f0c8f0c1", "8f0c8f0c2", "77aa", ""]),
        split=st.sampled_from(["leave-one-out", "leave-one-out", "temporal"]),
        filter=st.sampled_from(["none", "none", "k_core=5"]),
    ),
    min_size=2,
    max_size=12,
    unique_by=lambda each: each.cell,
)


def means(words: frozenset[str], one: Described, cells: Sequence[Described]) -> set[Cell]:
    """The cells that a reader takes a name for: all its words are true of them, and where they are
    all that a recipe's cell can have of its own, those with nothing more of their own. Without a
    recipe it may be of each; none if the name says a recipe alone of what departs from it."""
    several = len({each.cell.profile for each in cells}) > 1
    recipe = {one.cell.profile} & words
    if several and not recipe:
        return {each.cell for each in cells}
    own = own_of(one, cells)
    rest = words - recipe
    if recipe and not rest and len(plain := departing_in_nothing(one, cells)) == 1:
        return plain
    if recipe and own and one.recipe is not None and not rest & own:
        return set()
    alike = [each for each in cells if not several or each.cell.profile == one.cell.profile]
    found = {each.cell for each in alike if rest <= true_of(each, cells)}
    if own <= rest and (recipe or own):  # all of its own is said
        found &= {each.cell for each in alike if own_of(each, cells) == own}
    return found


def departing_in_nothing(one: Described, cells: Sequence[Described]) -> set[Cell]:
    """The cells of a recipe that its name alone means, however many there are."""
    return {
        each.cell
        for each in cells
        if each.cell.profile == one.cell.profile
        and each.recipe is not None
        and each.plain
        and not own_of(each, cells)
    }


def varying(cells: Sequence[Described]) -> set[str]:
    names = {name for each in cells for name in each.settings}
    return {name for name in names if len({each.settings.get(name) for each in cells}) > 1}


def own_of(one: Described, cells: Sequence[Described]) -> set[str]:
    recipe = one.recipe or {}
    return {
        f"{name}={value}"
        for name, value in one.settings.items()
        if name in varying(cells) and recipe.get(name) != value
    }


def true_of(one: Described, cells: Sequence[Described]) -> set[str]:
    checksum = one.cell.checksum
    return {
        *(f"{name}={value}" for name, value in one.settings.items()),
        *(f"{name} {value}" for name, value in one.conditions.items()),
        f"data {checksum[:8] or 'unknown'}",
        f"data {checksum}",
        one.cell.settings,
    }


def words_of(label: str, one: Described, cells: Sequence[Described]) -> frozenset[str]:
    """The words of a name: some have blanks."""
    found, rest = set(), f" {label} "
    for word in sorted(true_of(one, cells) | {one.cell.profile}, key=len, reverse=True):
        if f" {word} " in rest:
            found.add(word)
            rest = rest.replace(f" {word} ", " ", 1)
    assert not rest.strip(), label
    return frozenset(found)


@settings(max_examples=examples(300))
@given(cells_of_a_place, st.randoms(use_true_random=False))
def test_names_are_unique_stable_and_short(cells: list[Described], chance: random.Random) -> None:
    labels = cell_labels(cells)
    assert len(set(labels.values())) == len(cells)
    mixed = chance.sample(cells, len(cells))
    assert cell_labels(mixed) == labels
    for one in cells:
        words = words_of(labels[one.cell], one, cells)
        assert means(words, one, cells) == {one.cell}, (labels[one.cell], labels)
        for word in words:
            assert means(words - {word}, one, cells) != {one.cell}, (word, labels)


# Of a store


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    store = MeasuredStore(tmp_path)
    for seed in (1, 2):
        store.add("sasrec", seed=seed)
        store.add("sasrec", seed=seed, lr=0.0005, dropout=0.3)
        store.add("xlstm", seed=seed, lr=0.0005)
    store.add("sasrec", epochs=0, lr=0.01)
    store.add("bert4rec", split=SplitRule(kind="temporal"))
    store.add("bert4rec", kept=Filter(k_core=5))
    store.add("bert4rec")
    return store


def test_cells_of_a_store_are_named_by_what_their_recipe_does_not_give(
    store: MeasuredStore,
) -> None:
    with closing(connect_reader(store.location)) as con:
        counted = counted_runs(con, Choice())
        newest = newest_runs(counted)
        labels = stored_labels(con, newest, load_catalogue())
        assert {label for cell, label in labels.items() if cell.model == "sasrec"} == {
            "reference",
            "lr=0.0005",
        }
        assert {label for cell, label in labels.items() if cell.model == "xlstm"} == {""}
        assert {label for cell, label in labels.items() if cell.model == "bert4rec"} == {
            "split temporal",
            "filter k_core=5",
            "reference",
        }
        assert "lr=0.001" in stored_labels(con, newest, None).values()


def test_cells_of_two_protocols_are_named_by_it_and_a_rebuilt_store_keeps_both(
    tmp_path: Path,
) -> None:
    store = MeasuredStore(tmp_path)
    for seed in (1, 2):
        store.add(seed=seed, protocol=1)
        store.add(seed=seed)
    for protocol in (1, 2):
        store.add("bert4rec", split=SplitRule(kind="temporal"), protocol=protocol)
    store.add("bert4rec", split=SplitRule(kind="temporal", targets="last"))

    def named_apart() -> list[tuple[str, int, str]]:
        with closing(connect_reader(store.location)) as con:
            counted = counted_runs(con, Choice())
            labels = stored_labels(con, newest_runs(counted), load_catalogue())
            many = Counter(counted.values())
            return sorted((cell.model, many[cell], label) for cell, label in labels.items())

    before = named_apart()
    assert before == [
        ("bert4rec", 1, "protocol 1"),
        ("bert4rec", 1, "split temporal protocol 2"),
        ("bert4rec", 1, "split temporal targets=last"),
        ("sasrec", 2, "protocol 1"),
        ("sasrec", 2, "protocol 2"),
    ]
    assert rebuild(store.location) == 7
    assert named_apart() == before


def test_runs_are_named_among_themselves(store: MeasuredStore) -> None:
    with closing(connect_reader(store.location)) as con:
        ids = [run for (run,) in con.rows("SELECT id FROM runs")]
        ((queued,),) = con.rows("SELECT id FROM runs WHERE state = 'queued'")
        labels = labels_of_runs(con, [*ids, "nobody"], load_catalogue())
        assert labels.keys() == set(ids)
        assert labels[queued] == "lr=0.01"
        assert labels_of_runs(con, [queued], load_catalogue()) == {queued: ""}


def test_a_run_that_has_not_read_its_data_differs_in_nothing_from_one_that_has(
    store: MeasuredStore,
) -> None:
    store.add("xlstm", seed=3, lr=0.0005, epochs=0)
    with closing(connect_reader(store.location)) as con:
        ids = [run for (run,) in con.rows("SELECT id FROM runs WHERE model = 'xlstm'")]
        assert labels_of_runs(con, ids, load_catalogue()) == dict.fromkeys(ids, "")


def test_a_run_that_is_not_done_is_named_among_the_cells(store: MeasuredStore) -> None:
    with closing(connect_reader(store.location)) as con:
        ((queued,),) = con.rows("SELECT id FROM runs WHERE state = 'queued'")
        assert label_of_run(con, Choice(), queued, load_catalogue()) == "lr=0.01"
        assert label_of_run(con, Choice(), "nobody", None) == ""
