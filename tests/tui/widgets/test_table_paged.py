"""The paged table: what it asks for, what it shows, where its cursor stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region

from tui.widgets.table import HEADER, PagedTable
from tui.widgets.table_cells import (
    NARROWEST,
    Cell,
    Columns,
    TableColumn,
    TableRow,
    column_text,
    in_sight,
    widened,
)

COLUMNS = (
    TableColumn("name", ("", "name"), 8, fixed=True),
    *(TableColumn(f"c{n}", ("NDCG@10", f"/c{n}"), 9, right=True) for n in range(12)),
)


def row(n: int, key: str | None = None, text: str | None = None) -> TableRow:
    name = key or f"row{n}"
    figures = tuple(Cell(text or f"{n}.{place:04}") for place in range(12))
    return TableRow(name, (Cell(name), *figures))


class Numbers(App[None]):
    """Supplies the rows that the table asks for, from a list of keys."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__()
        self.keys = keys
        self.asked: list[tuple[int, int]] = []
        self.opened: list[str] = []
        self.sorted_by: list[str] = []

    def compose(self) -> ComposeResult:
        yield PagedTable(COLUMNS)

    @property
    def table(self) -> PagedTable:
        return self.query_one(PagedTable)

    def on_mount(self) -> None:
        self.supply(*self.table.window)
        self.table.focus()

    def supply(self, start: int, count: int) -> None:
        chosen = self.keys[start : start + count]
        rows = [row(start + n, key) for n, key in enumerate(chosen)]
        self.table.show(len(self.keys), start, rows)

    def on_paged_table_rows_wanted(self, event: PagedTable.RowsWanted) -> None:
        self.asked.append((event.start, event.count))
        self.supply(event.start, event.count)

    def on_paged_table_row_opened(self, event: PagedTable.RowOpened) -> None:
        self.opened.append(event.key)

    def on_paged_table_header_clicked(self, event: PagedTable.HeaderClicked) -> None:
        self.sorted_by.append(event.column.key)


def app_of(count: int) -> Numbers:
    return Numbers([f"row{n}" for n in range(count)])


def screen_text(table: PagedTable) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


@contextmanager
def refreshed(table: PagedTable) -> Iterator[list[tuple[Region, ...]]]:
    """Every call of ``refresh`` on the table while the context is open."""
    calls: list[tuple[Region, ...]] = []
    original = table.refresh

    def refresh(*regions: Region, **options: bool) -> PagedTable:
        calls.append(regions)
        original(*regions, **options)
        return table

    table.refresh = refresh  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        table.refresh = original  # type: ignore[method-assign]


async def test_holds_only_the_rows_in_sight_and_two_pages_on_each_side() -> None:
    app = app_of(100_000)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("end")
        await pilot.pause()
        assert app.table.cursor_key == "row99999"
        assert all(count <= 5 * 24 for _, count in app.asked)
        assert "row99999" in "".join(screen_text(app.table))
        await pilot.press("home")
        await pilot.pause()
        assert app.table.cursor_key == "row0"
        assert "row0 " in screen_text(app.table)[HEADER]


async def test_paging_through_shows_every_row_once_in_order() -> None:
    app = app_of(45)
    seen: list[str] = []
    async with app.run_test(size=(80, 6)) as pilot:
        for _ in range(45):
            await pilot.pause()
            assert app.table.cursor_row is not None
            seen.append(app.table.cursor_row.key)
            await pilot.press("down")
    assert seen == [f"row{n}" for n in range(45)]


async def test_fixed_column_stays_while_the_cursor_goes_right() -> None:
    app = app_of(5)
    async with app.run_test(size=(60, 12)) as pilot:
        for _ in range(12):
            await pilot.press("right")
        await pilot.pause()
        assert app.table.cursor_column == COLUMNS[12]
        line = screen_text(app.table)[HEADER]
        assert line.startswith(" row0")
        assert "0.0011" in line
        assert "0.0000" not in line
        await pilot.press(*["left"] * 11)
        assert "0.0000" in screen_text(app.table)[HEADER]


async def test_cursor_follows_its_row_when_others_come_before_it() -> None:
    app = app_of(40)
    async with app.run_test(size=(80, 16)) as pilot:
        await pilot.press(*["down"] * 20)
        await pilot.pause()
        line = screen_text(app.table).index(next(t for t in screen_text(app.table) if "row20" in t))
        app.keys[:0] = ["new1", "new2", "new3"]
        app.supply(*app.table.window)
        await pilot.pause()
        assert app.table.cursor_key == "row20"
        assert app.table.cursor_index == 23
        assert "row20" in screen_text(app.table)[line], "the view went with it"


async def test_rows_that_vanish_leave_the_cursor_on_the_last() -> None:
    app = app_of(40)
    async with app.run_test(size=(80, 16)) as pilot:
        await pilot.press("end")
        del app.keys[3:]
        app.supply(0, 40)
        await pilot.pause()
        assert app.table.cursor_index == 2
        app.keys.clear()
        app.supply(0, 40)
        await pilot.pause()
        await pilot.press("down", "up", "pagedown", "end")
        assert app.table.cursor_row is None


async def test_only_the_cells_that_changed_are_painted_again() -> None:
    app = app_of(10)
    async with app.run_test(size=(100, 20)) as pilot:
        await pilot.pause()
        rows = [row(n) for n in range(10)]
        app.table.show(10, 0, rows)
        changed = list(rows[4].cells)
        changed[2] = Cell("0.9999")
        rows[4] = TableRow(rows[4].key, tuple(changed))
        with refreshed(app.table) as calls:
            app.table.show(10, 0, rows)
        start, end = Columns(COLUMNS).on_screen(2, 0)
        assert calls == [(Region(start, HEADER + 4, end - start, 1),)]
        with refreshed(app.table) as calls:
            app.table.show(10, 0, list(rows))
        assert calls == []


async def test_header_click_and_double_click() -> None:
    app = app_of(10)
    async with app.run_test(size=(80, 20)) as pilot:
        start, _ = Columns(COLUMNS).on_screen(3, 0)
        await pilot.click(PagedTable, offset=(start + 2, 1))
        assert app.sorted_by == ["c2"]
        assert app.table.cursor_column == COLUMNS[3]
        await pilot.press("down", "down")
        await pilot.click(PagedTable, offset=(3, HEADER + 5), times=2)
        assert app.opened == ["row5"]
        await pilot.click(PagedTable, offset=(3, HEADER + 15))
        assert app.table.cursor_index == 5, "below the last row there is nothing"


async def test_columns_grow_with_long_text_and_never_shrink() -> None:
    app = app_of(3)
    async with app.run_test(size=(80, 12)) as pilot:
        app.table.show(1, 0, [row(0, "a-rather-long-name")])
        await pilot.pause()
        assert "a-rather-long-name" in screen_text(app.table)[HEADER]
        width = app.table.columns.all[0].width
        app.table.show(1, 0, [row(0, "short")])
        assert app.table.columns.all[0].width == width


@pytest.mark.parametrize("text", ["序列推荐模型比较", "🤖🤖🤖🤖🤖🤖", "x" * 50, "", "é" * 9])
@pytest.mark.parametrize("right", [True, False])
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, right: bool) -> None:
    column = TableColumn("k", ("", "k"), 9, right=right)
    assert cell_len(column_text(text, column)) == column.span


def test_a_name_is_cut_in_the_middle() -> None:
    column = TableColumn("k", ("", "k"), 16, fixed=True)
    assert column_text("gru4rec reference embedding_dropout=0.2", column) == " gru4rec…pout=0.2 "
    assert column_text("序列推荐模型比较", replace(column, width=9)) == " 序列…比较 "


@given(st.lists(st.integers(1, 40), min_size=3, max_size=9), st.integers(1, 2), st.integers(9, 99))
def test_the_widest_fixed_column_makes_room_for_two_others(
    widths: list[int], fixed: int, room: int
) -> None:
    given = tuple(TableColumn(f"{n}", ("", ""), w, fixed=n < fixed) for n, w in enumerate(widths))
    columns = Columns(given, room)
    before, after = [each.width for each in given], [each.width for each in columns.all]
    needed = sum(each.span for each in given[: fixed + 2]) + 1
    assert before[fixed:] == after[fixed:]
    if needed <= room:
        assert before == after
        return
    widest = max(before[:fixed])
    assert sum(before) - sum(after) == max(0, min(needed - room, widest - NARROWEST))
    assert columns.given == given


@pytest.mark.parametrize(
    ("first", "end", "shown"),
    [(0, 9, "  58.075 "), (0, 5, "  58…"), (0, 2, " …"), (4, 9, "…075 "), (8, 9, "…")],
)
def test_a_number_that_is_cut_does_not_look_like_another(first: int, end: int, shown: str) -> None:
    assert in_sight("  58.075 ", first, end) == shown


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=15),
    st.integers(0, 3),
    st.integers(0, 400),
    st.integers(10, 200),
    st.data(),
)
def test_scrolling_to_a_column_shows_it(
    widths: list[int], held: int, scroll: int, screen: int, data: st.DataObject
) -> None:
    columns = Columns(
        tuple(TableColumn(f"{n}", ("", ""), w, fixed=n < held) for n, w in enumerate(widths))
    )
    index = data.draw(st.integers(0, len(widths) - 1))
    column = columns.all[index]
    if column.fixed or columns.fixed + column.span > screen:
        return
    start, end = columns.on_screen(index, columns.scroll_to_show(index, scroll, screen))
    assert end - start == column.span
    assert columns.fixed <= start
    assert end <= screen


def test_widened_columns_stop_at_the_limit() -> None:
    columns = (TableColumn("a", ("", "a"), 3), TableColumn("b", ("", "b"), 50))
    rows = [TableRow("r", (Cell("x" * 90), Cell("y" * 90)))]
    assert [column.width for column in widened(columns, rows, limit=40)] == [40, 50]


@pytest.mark.parametrize("width", [63, 70])
async def test_no_number_ends_behind_the_scroll_bar(width: int) -> None:
    app = app_of(100)
    async with app.run_test(size=(width, 12)):
        table = app.table
        assert table.show_vertical_scrollbar
        room = table.scrollable_content_region.width
        for n, line in enumerate(screen_text(table)[HEADER:-1]):
            shown = line[:room].split("│")[1]
            *whole, last = shown.split()
            assert whole == [f"{n}.{place:04}" for place in range(len(whole))]
            assert last in (f"{n}.{len(whole):04}", "…") or last.endswith("…")
