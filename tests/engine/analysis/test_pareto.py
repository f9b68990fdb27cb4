"""The front holds what nothing beats, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.scatter import pareto_front

figures = st.integers(0, 6).map(float)
clouds = st.lists(st.tuples(figures, figures), max_size=25)


@given(clouds, st.booleans(), st.booleans())
def test_it_is_those_that_no_other_beats(
    points: list[tuple[float, float]], less_x: bool, less_y: bool
) -> None:
    signed = [(x if less_x else -x, y if less_y else -y) for x, y in points]

    def beaten(one: tuple[float, float]) -> bool:
        return any(o[0] <= one[0] and o[1] <= one[1] and o != one for o in signed)

    expected = {index for index, point in enumerate(signed) if not beaten(point)}
    assert set(pareto_front(points, less_x=less_x, less_y=less_y)) == expected


def test_it_goes_from_the_best_x_on() -> None:
    assert pareto_front([(3, 0.3), (1, 0.1), (2, 0.05), (2, 0.2)]) == [1, 3, 0]
