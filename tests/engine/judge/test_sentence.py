from __future__ import annotations

import pytest

from engine.judge.sentence import Floor, verdict


@pytest.mark.parametrize(
    ("smallest", "text"),
    [(0.03, ".030"), (0.0291, ".030"), (0.00412, ".0042"), (0.2, ".20"), (0.0099999, ".010")],
)
def test_figures_are_rounded_up(smallest: float, text: str) -> None:
    assert verdict(943, "recall", smallest) == (
        f"943 users: differences in Recall@10 below {text} can't be shown."
    )


def test_the_floor_is_held_against_the_best_network() -> None:
    begin = (
        "6,040 users: differences in NDCG@10 below .010 can't be shown; the floor, Markov counts, "
    )
    assert verdict(6040, "ndcg", 0.01, Floor("Markov counts", 0.13, 0.1451)) == (
        f"{begin}is within .016 of the best network."
    )
    for value in (0.15, 0.16):
        assert verdict(6040, "ndcg", 0.01, Floor("Markov counts", value, 0.15)) == (
            f"{begin}is no worse than the best network."
        )
