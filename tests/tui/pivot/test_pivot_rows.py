"""The pivot's rows without an app: what is in sight, how it is toned, that names stay inert."""

from __future__ import annotations

from hostile_text import ACTING, harms

from engine.analysis.pivot.arranged import COLUMNS, PivotCell, PivotRow, arranged
from engine.cell import Cell
from tui.pivot import rows as pivot_rows
from tui.pivot.panel import panel_content, panel_title


def cell(model: str, dataset: str, length: int = 50) -> PivotCell:
    figures = (float(length), *(None,) * (len(COLUMNS) - 1))
    return PivotCell(Cell(model, dataset, length, "reference", "ab", "8f"), 1, None, 1, figures)


ROWS = arranged([cell(m, d, n) for m in ("a", "b") for d in ("x", "y") for n in (50, 75)])


def seen(folded: set[pivot_rows.Fold]) -> list[str]:
    return [row.label for row in pivot_rows.in_sight(ROWS, folded, reference=False)]


def test_a_fold_hides_what_is_below_it_and_nothing_else() -> None:
    assert len(seen(set())) == len(ROWS) == 15
    assert seen({("a", "")})[:2] == ["a", "b"]
    assert seen({("a", "x")})[:5] == ["a", "x", "y", "50", "75"]
    assert [len(seen(pivot_rows.folds_at(ROWS, depth))) for depth in range(3)] == [15, 7, 3]


def test_keys_tell_rows_apart() -> None:
    assert len({pivot_rows.row_key(row) for row in ROWS}) == len(ROWS)


def test_only_cells_have_a_best_and_only_cells_are_marked() -> None:
    leaders = {("x", 0): 50.0, ("y", 0): 50.0}
    marked = {ROWS[2].cell}
    rows = pivot_rows.table_rows(ROWS, leaders, (), marked)
    tones = [row.cells[2].tone for row in rows]
    assert tones[:4] == ["strong", "strong", "best", ""]
    assert [row.marked for row in rows] == [row is rows[2] for row in rows]


def test_names_are_shown_inert() -> None:
    rows = arranged([cell(ACTING, ACTING)])
    for row in pivot_rows.table_rows(rows, {}, (), ()):
        assert not any(harms(part.text) for part in row.cells)
    assert not harms(panel_title(next(row for row in rows if row.is_cell)))
    assert not harms(pivot_rows.as_tabs(rows).replace("\t", " ").replace("\n", " "))
    assert not harms(pivot_rows.exact_text(rows[0], pivot_rows.LABEL))


def test_a_panel_without_metrics_says_so() -> None:
    assert "no test metrics" in str(panel_content({}, None, 80))
    assert panel_title(PivotRow("total", "Grand Total (Max)")) == ""
