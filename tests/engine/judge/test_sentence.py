from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.analysis.pairs.significance import difference
from engine.judge.judgement import (
    MISS,
    FittedRanks,
    Judgement,
    OrderLoss,
    from_json,
    to_json,
)
from engine.judge.sentence import facts, order_sentence, told
from engine.judge.stored import Network


def ranks(users: int, hits: int, first: int = 0) -> NDArray[np.int32]:
    """Hits at the first place for some users, from one on."""
    found = np.full(users, MISS, np.int32)
    found[first : first + hits] = 1
    return found


def judged(users: int, *hits: int) -> Judgement:
    """Fitted models with so many hits each, the first the best on validation."""
    floors = tuple(
        FittedRanks(f"model-{place}", f"Model {place}", 1 / (1 + place), ranks(users, many))
        for place, many in enumerate(hits)
    )
    return Judgement(50, users, users, cold=0, tied=None, floors=floors)


def network(*each: NDArray[np.int32]) -> Network:
    return Network("net L50", len(each), 0.5, np.stack(each))


@pytest.mark.parametrize(
    ("users", "apart", "text"),
    [(943, 20, ".014"), (943, 40, ".019"), (100_000, 1, ".000029")],
)
def test_figures_are_rounded_up(users: int, apart: int, text: str) -> None:
    said = told(judged(users, 100, 100 - apart), []).sentence("recall")
    shown = float(said.partition("below ")[2].split()[0])
    smallest = told(judged(users, 100, 100 - apart), []).smallest("recall")
    assert smallest is not None
    assert smallest.value <= shown < smallest.value * 1.1
    assert said.startswith(f"{users:,} users: differences in Recall@10 below {text}")


def test_the_floor_is_held_against_the_best_network() -> None:
    found = judged(1000, 100, 90)
    behind = told(found, [network(ranks(1000, 116), ranks(1000, 114))])
    assert behind.sentence("recall").endswith(
        "the floor, Model 0, is within .015 of the best network."
    )
    for hits in (100, 90):
        said = told(found, [network(ranks(1000, hits))]).sentence("recall")
        assert said.endswith("; the floor, Model 0, is no worse than the best network.")


def test_validation_chooses_the_floor_whatever_test_says() -> None:
    said = told(judged(1000, 100, 200), [network(ranks(1000, 150))])
    assert "Model 0, is within .050" in said.sentence("recall")
    assert dict(facts(said))["floor"].startswith("Model 0:")


def test_two_networks_say_how_differences_vary_and_each_seed_counts_as_it_is() -> None:
    found = judged(1000, 100, 400)
    alike = network(ranks(1000, 100)), network(ranks(1000, 104), ranks(1000, 104))
    close, fitted = told(found, alike).smallest("recall"), told(found, []).smallest("recall")
    assert close is not None
    assert fitted is not None
    assert close.value < fitted.value / 5
    one = told(found, alike[:1]).smallest("recall")
    assert one is not None
    assert one.between == "net L50 and Model 0"


@pytest.mark.parametrize("users", [0, 1, 2, 3])
def test_too_few_users_are_said_to_be_too_few(users: int) -> None:
    found = judged(users, *([1, 0] if users > 1 else []))
    said = told(found, [])
    word = "user is" if users == 1 else "users are"
    expected = f"{users} {word} too few to show any difference in Recall@10."
    assert said.sentence("recall") == expected
    assert dict(facts(said))["in short"] == expected


def test_few_users_are_warned_of() -> None:
    assert "Only 90 test users" in dict(facts(told(judged(90, 9, 4), [])))["caution"]
    assert "caution" not in dict(facts(told(judged(900, 90, 40), [])))


def test_networks_of_other_users_are_left_out_and_a_sample_is_taken_of_the_rest() -> None:
    found = judged(100, 10, 5)
    assert not told(found, [network(ranks(99, 1))]).networks
    places = np.array([0, 50, 99], np.int32)
    floors = tuple(replace(each, ranks=each.ranks[places]) for each in found.floors)
    sampled = replace(found, floors=floors, places=places, ranked_users=3)
    said = told(sampled, [network(ranks(100, 1))])
    assert said.networks[0].mean("recall") == pytest.approx(1 / 3)
    assert "a sample of 3" in dict(facts(said))["evaluated"]


@pytest.mark.parametrize(
    ("before", "after", "word"), [(90, 30, "order matters"), (90, 88, "no use"), (30, 90, "harm")]
)
def test_what_the_shuffle_test_means(before: int, after: int, word: str) -> None:
    both = [(ranks(900, hits) == 1).astype(float)[None] for hits in (before, after)]
    order = OrderLoss(before / 900, after / 900, difference(both[0], both[1]))
    assert word in order_sentence(order, "Markov counts")
    if after == 30:
        assert "67 % of the NDCG@10 of Markov counts is lost (0.1000 to 0.0333)" in order_sentence(
            order, "Markov counts"
        )


def test_a_judgement_is_written_and_read() -> None:
    found = replace(
        judged(300, 30, 20),
        shuffled=judged(300, 7).floors[0],
        left_out=("One is.",),
        places=np.arange(300, dtype=np.int32),
    )
    read = from_json(to_json(found))
    assert dict(facts(told(read, []))) == dict(facts(told(found, [])))
    assert [each.ranks.tolist() for each in read.floors] == [
        each.ranks.tolist() for each in found.floors
    ]
    with pytest.raises(ValueError, match="decompressing"):
        from_json({**to_json(found), "places": "AAAA"})
