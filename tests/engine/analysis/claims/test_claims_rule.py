"""When a verdict may be told of cells, and what is said where none may."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.claims.claim import LEVEL, Claim
from engine.analysis.claims.rule import Side, Untold, untold
from engine.analysis.run.relaunch import Launch
from engine.marks import MEANING, OF_METRICS


def side(label: str = "sasrec L50", seeds: int = 3, **more: object) -> Side:
    return Side(label, seeds, **more)  # type: ignore[arg-type]


def launch(model: str, length: int = 50, *settings: str) -> Launch:
    return Launch("ml-100k", "reference", settings, length, model, epochs=14)


SIDES = st.builds(
    Side,
    label=st.sampled_from(["a L50", "b L50", "c L75"]),
    seeds=st.integers(1, 4),
    marks=st.lists(st.sampled_from(list(MEANING)), unique=True, max_size=2).map(tuple),
    ranked=st.sampled_from([True, True, True, False]),
)


@given(st.lists(SIDES, min_size=1, max_size=4))
def test_a_verdict_may_be_told_only_where_every_condition_holds(sides: list[Side]) -> None:
    found = untold(*sides)
    holds = all(
        each.seeds > 1 and each.ranked and not OF_METRICS & set(each.marks) for each in sides
    )
    assert (found is None) == holds
    if found is not None:
        assert "no conclusion" in found.sentence
        assert ("seqbench run" in found.sentence) == any(each.seeds < 2 for each in sides)
        assert ("seqbench continue" in found.sentence) == any(
            "still-improving" in each.marks and each.seeds > 1 for each in sides
        )


@given(st.lists(SIDES, min_size=2, max_size=4), st.data())
def test_the_order_of_cells_decides_nothing(sides: list[Side], data: st.DataObject) -> None:
    other = data.draw(st.permutations(sides))
    assert (untold(*sides) is None) == (untold(*other) is None)


def test_one_seed_each_has_the_command_for_these_cells() -> None:
    both = untold(
        side(seeds=1, launch=launch("sasrec")), side("xlstm L50", 1, launch=launch("xlstm"))
    )
    assert both is not None
    assert both.sentence == (
        "one seed each: no conclusion; `seqbench run --model sasrec,xlstm --dataset ml-100k "
        "--length 50 --seed 1,2,3 --profile reference`"
    )
    one = untold(side(), side("xlstm L75", 1, launch=launch("xlstm", 75, "dim=32")))
    assert one is not None
    assert one.sentence == (
        "xlstm L75 has one seed: no conclusion; `seqbench run --model xlstm --dataset ml-100k "
        "--length 75 --seed 1,2,3 --profile reference --set dim=32`"
    )
    of_42 = untold(side(seeds=1, numbers=(42,), launch=launch("sasrec")))
    assert of_42 is not None
    assert "--seed 42,43,44 " in of_42.sentence
    unknown = untold(side(seeds=1), side("xlstm L50", 1, launch=launch("xlstm")))
    assert unknown is not None
    assert unknown.sentence == "one seed each: no conclusion; `seqbench run … --seed 1,2,3`"
    assert untold(side(seeds=1)) == Untold("one seed", ("seqbench run … --seed 1,2,3",))


@pytest.mark.parametrize(
    ("sides", "sentence"),
    [
        (
            (side(seeds=2, marks=("still-improving",), improving=("r1", "r2")), side("xlstm L50")),
            "sasrec L50 was still improving at its epoch limit: no conclusion; "
            "`seqbench continue r1 r2 --epochs N`",
        ),
        (  # of two data sets
            (
                side(seeds=2, marks=("still-improving",), improving=("r1", "r2")),
                side(seeds=2, marks=("still-improving",), improving=("r3", "r4")),
            ),
            "sasrec L50 was still improving at its epoch limit: no conclusion; "
            "`seqbench continue r1 r2 r3 r4 --epochs N`",
        ),
        (
            (side(marks=("shared", "changed-data")), side("xlstm L50")),
            "the data of sasrec L50 are marked changed-data: no conclusion",
        ),
        (
            (side(), side("xlstm L50", 1, ranked=False)),
            "xlstm L50 has one seed, and xlstm L50 has no ranks of test users: no conclusion; "
            "`seqbench run … --seed 1,2,3`",
        ),
        (
            tuple(side(f"m{n}", 1 if n else 2) for n in range(7)),
            "6 of the cells have one seed each: no conclusion; `seqbench run … --seed 1,2,3`",
        ),
    ],
)
def test_every_reason_is_said(sides: tuple[Side, ...], sentence: str) -> None:
    found = untold(*sides)
    assert found is not None
    assert found.sentence == sentence


def test_many_commands_are_counted() -> None:
    found = untold(*(side(f"m{n}", 1, launch=launch("m", n, f"dim={n}")) for n in range(6)))
    assert found is not None
    assert found.sentence.count("`seqbench run") == 4
    assert found.sentence.endswith("and 2 more like these")


@given(st.floats(-1, 1), st.floats(0, 1), st.none() | st.floats(0, 1), st.booleans())
def test_a_verdict_needs_an_interval_without_zero_and_a_small_p(
    estimate: float, half: float, p: float | None, may_be: bool
) -> None:
    why = None if may_be else Untold("one seed each")
    claim = Claim("x", "a", "b", estimate, estimate - half, estimate + half, p=p, untold=why)
    shown = claim.low > 0 or claim.high < 0
    if not may_be:
        assert claim.verdict is None
    elif shown and (p is None or p < LEVEL):
        assert claim.verdict == ("better" if estimate > 0 else "worse")
    else:
        assert claim.verdict == "no difference shown"


def test_seeds_get_a_higher_limit_together_since_runs_of_two_limits_make_no_cell() -> None:
    known = {"marks": ("still-improving",), "launch": launch("xlstm", 50, "epochs=14", "lr=0.1")}
    every = untold(side("xlstm L50", 2, improving=("r1", "r2"), numbers=(4, 7), **known))
    assert every is not None
    assert every.commands == ("seqbench continue r1 r2 --epochs 28",)
    other = replace(launch("sasrec"), epochs=40)
    two = untold(
        side("xlstm L50", 2, improving=("r1", "r2"), **known),
        side("sasrec L50", 2, improving=("r3", "r4"), **{**known, "launch": other}),
    )
    assert two is not None
    assert two.commands == (
        "seqbench continue r1 r2 --epochs 28",
        "seqbench continue r3 r4 --epochs 80",
    )
    some = untold(side("xlstm L50", 2, improving=("r2",), numbers=(4, 7), **known))
    alone = untold(side("xlstm L50", 1, improving=("r1",), numbers=(4,), **known))
    for found, seeds in ((some, "4,7"), (alone, "4,5,6")):
        assert found is not None
        assert found.commands == (
            f"seqbench run --model xlstm --dataset ml-100k --length 50 --seed {seeds} "
            "--profile reference --set lr=0.1 --set epochs=28",
        )
