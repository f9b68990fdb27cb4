"""The Pareto front of points in two figures."""

from __future__ import annotations

from collections.abc import Sequence


def pareto_front(
    points: Sequence[tuple[float, float]], *, less_x: bool = True, less_y: bool = False
) -> list[int]:
    """Return the indices of the points that no other dominates, from the best x on.

    A point dominates another if it is as good in both figures and better in one; equal points
    are all kept.

    Args:
        less_x: whether less of x is better.
        less_y: whether less of y is better.
    """
    signed = [(x if less_x else -x, y if less_y else -y) for x, y in points]
    front: list[int] = []
    best: tuple[float, float] | None = None
    for index in sorted(range(len(points)), key=lambda i: (*signed[i], i)):
        if best is None or signed[index][1] < best[1] or signed[index] == best:
            front.append(index)
            best = signed[index]
    return front
