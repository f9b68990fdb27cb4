"""Who is beaten by nobody in two figures at once."""

from __future__ import annotations

from collections.abc import Sequence


def pareto_front(
    points: Sequence[tuple[float, float]], *, less_x: bool = True, less_y: bool = False
) -> list[int]:
    """Indices of the points that no other is as good as in both figures and better in one,
    from the best x on. Equal points stand together.

    Args:
        less_x: whether less of x is better; ``less_y`` the same of y.
    """
    signed = [(x if less_x else -x, y if less_y else -y) for x, y in points]
    front: list[int] = []
    best: tuple[float, float] | None = None
    for index in sorted(range(len(points)), key=lambda i: (*signed[i], i)):
        if best is None or signed[index][1] < best[1] or signed[index] == best:
            front.append(index)
            best = signed[index]
    return front
