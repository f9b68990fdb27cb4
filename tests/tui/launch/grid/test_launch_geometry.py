"""How wide the grid's columns are."""

from __future__ import annotations

import pytest
from textual.geometry import Size

from tui.launch.grid.cells import Row
from tui.launch.grid.geometry import NAMED, NARROWEST, WIDEST, measure

ROWS = [Row("sasrec", "SASRec", 50), Row("sasrec", "SASRec", 100)]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["synthetic", "ml-1m"], NARROWEST),
        (["synthetic", "ml-100k", "ml-100k-time"], len("ml-100k-time") + 3),
        (["a-data-set-with-a-very-long-name", "ml-1m"], NAMED),
    ],
)
def test_a_column_has_room_for_a_usual_name(names: list[str], wanted: int) -> None:
    assert measure(ROWS, names, Size(30, 20)).column_width == wanted


def test_columns_share_a_wide_terminal() -> None:
    assert measure(ROWS, ["synthetic", "ml-1m"], Size(200, 20)).column_width == WIDEST
