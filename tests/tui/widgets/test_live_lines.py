"""Lines: only what differs is repainted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from live_lines import Stage, screen_text
from rich.cells import cell_len

from tui.widgets.lines import Line, Lines, _cells, changed_span, fit

text = st.text(st.sampled_from("ab ⣿┤日é"), max_size=8)
line = st.lists(st.tuples(text, st.sampled_from(["", "bold", "red"])), max_size=5)


@given(line, line, st.integers(1, 40))
def test_the_changed_span_holds_every_difference(before: Line, after: Line, width: int) -> None:
    old, new = _cells(before, width), _cells(after, width)
    span = changed_span(before, after, width)
    if span is None:
        assert old == new
        return
    start, end = span
    assert old[start] != new[start]
    assert old[end - 1] != new[end - 1]
    assert old[:start] + new[start:end] + old[end:] == new


@given(text, st.integers(0, 12), st.sampled_from("<>"))
def test_fitted_text_has_the_width_asked_for(content: str, width: int, align: str) -> None:
    assert cell_len(fit(content, width, align)) == width


class Counting(Lines):
    """Shows what it is told."""

    content: list[Line] = []  # noqa: RUF012

    def draw(self, width: int, height: int) -> list[Line]:
        return self.content


async def test_a_redraw_repaints_the_changed_cells_only() -> None:
    shown = Counting()
    shown.content = [[("same", "")], [("loss 4.12 nats", "")], [("gone", "bold")]]
    async with Stage(shown).run_test(size=(30, 6)) as pilot:
        await pilot.pause()
        assert screen_text(pilot.app)[1].strip() == "loss 4.12 nats"
        shown.content = [[("same", "")], [("loss 4.07 nats", "")]]
        shown.redraw()
        regions = sorted((r.y, r.x, r.right) for r in shown._repaint_regions)
        assert regions == [(1, 7, 9), (2, 0, 4)]
        await pilot.pause()
        assert [row.strip() for row in screen_text(pilot.app)[:3]] == ["same", "loss 4.07 nats", ""]
        shown.redraw()
        assert not shown._repaint_regions


async def test_a_resize_draws_everything_again() -> None:
    shown = Counting()
    shown.content = [[("a" * 50, "")]]
    async with Stage(shown).run_test(size=(30, 6)) as pilot:
        await pilot.pause()
        await pilot.resize_terminal(60, 8)
        await pilot.pause()
        assert screen_text(pilot.app)[0].strip() == "a" * 50
