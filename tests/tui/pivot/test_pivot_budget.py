"""The budget that settings were chosen with, as it is copied from the pivot."""

from __future__ import annotations

import pytest

from engine.analysis.columns.definitions import Value
from engine.analysis.pivot.arranged import PivotRow
from tui.pivot.rows import exact_text


@pytest.mark.parametrize(
    ("figures", "texts"),
    [((0, 0.0), ["by hand", "by hand"]), ((20, 12.25), ["20", "12.25"]), ((None, None), ["", ""])],
)
def test_by_hand_is_copied_as_it_is_shown(figures: tuple[Value, Value], texts: list[str]) -> None:
    names = ("Trials", "TuningTime")
    row = PivotRow("length", "50", "sasrec", "ml-1m", 50, figures=figures)
    assert [exact_text(row, name, names) for name in names] == texts
