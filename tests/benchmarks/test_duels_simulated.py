"""The benchmark of duels, on few of them."""

from __future__ import annotations

from benchmarks.duels import APART, VARYING, simulate


def test_few_duels_claim_what_is_far_apart_and_little_else() -> None:
    rows = simulate(duels=20, most=5)
    assert len(rows) == len(VARYING) * len(APART)
    for _, apart, claimed, _, seeds, _ in rows:
        assert 3 <= float(seeds) <= 5
        if apart == "0":
            assert float(claimed) <= 0.25
    far = [float(row[2]) for row in rows if row[1] == "6" and row[0].startswith("users")]
    assert far == [1.0]
