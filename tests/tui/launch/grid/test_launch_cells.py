"""How much of a cell is shown, by the width that its column has."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_lines import Stage
from live_runs import LiveStore
from rich.cells import cell_len

from engine.spread import Spread
from engine.store.connect import connect_reader
from engine.store.places import LaunchCell
from tui.launch.grid.cells import CellView, Column, Row, cell_pieces
from tui.launch.grid.contents import cell_view
from tui.launch.grid.geometry import HEADER_LINES
from tui.launch.grid.grid import CellGrid
from tui.launch.grid.reading import read_store
from tui.shell.states import STATES
from tui.widgets.lines import progress_bar


def text_of(view: CellView, width: int) -> str:
    return "".join(text for text, _ in cell_pieces(view, width))


def cell(score: Spread | None = None, progress: float | None = None, **counts: int) -> LaunchCell:
    return LaunchCell("sasrec", "synthetic", 50, counts, progress, score)


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (20, ".0684 ± .0012 ×3"),
        (16, ".0684 ± .0012 ×3"),
        (13, ".0684 ± .0012"),
        (11, ".0684±.0012"),
        (9, ".068±.001"),
        (8, ".0684 ×3"),
        (6, ".0684"),
        (4, ".06…"),
    ],
)
def test_a_result_is_told_as_fully_as_there_is_room(width: int, text: str) -> None:
    assert text_of(cell_view(cell(Spread(0.0684, 0.0012, 3), done=3)), width) == text


def test_a_spread_that_would_be_written_as_nothing_is_left_out() -> None:
    view = cell_view(cell(Spread(0.0684, 0.0002, 3), done=3))
    assert text_of(view, 11) == ".0684±.0002"
    assert text_of(view, 9) == ".0684 ×3"


def test_one_seed_has_no_spread() -> None:
    assert text_of(cell_view(cell(Spread(0.0684, None, 1), done=1)), 20) == ".0684"


def test_other_states_are_worth_a_shorter_text() -> None:
    view = cell_view(cell(Spread(0.0684, 0.0012, 3), done=3, failed=1))
    assert text_of(view, 20) == ".0684 ± .0012 ×3 ✗1"
    assert text_of(view, 14) == ".0684±.0012 ✗1"
    assert text_of(view, 9) == ".0684 ✗1"
    assert text_of(view, 6) == ".0684"


def test_a_running_cell_has_a_bar_its_share_and_what_else_there_is() -> None:
    view = cell_view(cell(progress=0.5, running=2, queued=3, done=1))
    assert text_of(view, 20) == "━━━─── 50% ×2 ○3 ●1"
    assert text_of(view, 6) == "━─ 50%"
    assert cell_pieces(view, 20)[0] == ("━━━", "$state-running")


@given(st.floats(0, 1), st.integers(2, 12))
def test_a_bar_keeps_its_width_and_grows_with_the_share(share: float, cells: int) -> None:
    (done, _), (left, _) = progress_bar(share, cells)
    assert len(done) + len(left) == cells
    assert abs(len(done) - done.count("╸") / 2 - share * cells) <= 0.26


@given(
    st.dictionaries(st.sampled_from(STATES), st.integers(1, 5_000)),
    st.none() | st.builds(Spread, st.floats(0, 1), st.none() | st.floats(0, 1), st.integers(1, 99)),
    st.none() | st.floats(0, 1),
    st.integers(1, 22),
)
def test_no_cell_is_wider_than_its_column(
    counts: dict[str, int], score: Spread | None, progress: float | None, width: int
) -> None:
    view = cell_view(cell(score, progress, **counts))
    assert sum(cell_len(text) for text, _ in cell_pieces(view, width)) <= width


def test_the_store_tells_mean_and_spread_of_the_best_settings(empty_store: LiveStore) -> None:
    for seed in (1, 2, 3):
        empty_store.train(empty_store.launch("sasrec", seed=seed), 12, end="done")
    again = empty_store.launch("sasrec", seed=3)  # a seed twice counts once
    empty_store.train(again, 12, end="done")
    empty_store.train(empty_store.launch("sasrec", seed=1, epochs=3), 3, end="done")
    found = read_store(empty_store.location).cells["sasrec", "synthetic", 50]
    assert found.counts == {"done": 5}
    assert found.score is not None
    assert found.score.count == 3
    assert found.settings == 2
    values = figures(empty_store)
    mean = sum(values) / 3
    assert found.score.mean == pytest.approx(mean)
    assert found.score.deviation == pytest.approx((sum((v - mean) ** 2 for v in values) / 2) ** 0.5)


def figures(store: LiveStore) -> list[float]:
    """Test NDCG@10 of the 60-epoch runs, one a seed."""
    with closing(connect_reader(store.location)) as connection:
        rows = connection.rows(
            "SELECT avg(best_test_ndcg) FROM runs JOIN specs ON run = id"
            " WHERE json_extract(spec, '$.training.epochs') = 60 GROUP BY seed"
        )
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("width", "text"),
    [(20, ".0684 ± .0012 ×3 ≈"), (11, ".068±.001 ≈"), (7, ".0684 ≈")],
)
def test_the_sign_of_the_floor_is_worth_a_shorter_result(width: int, text: str) -> None:
    view = cell_view(cell(Spread(0.0684, 0.0012, 3), done=3), "≈")
    assert text_of(view, width) == text


@pytest.mark.parametrize("width", [62, 66, 69, 76])
async def test_half_a_result_is_never_shown(width: int) -> None:
    grid, names = CellGrid(), ["ml-100k", "ml-100k-time", "ml-1m", "ml-10m"]
    view = cell_view(cell(Spread(0.0684, 0.0012, 3), done=3))
    async with Stage(grid).run_test(size=(width, 8)) as pilot:
        grid.set_layout([Row("sasrec", "SASRec", 50)], [Column(name) for name in names])
        grid.set_cells({("sasrec", name, 50): view for name in names})
        await pilot.pause()
        line = grid.render_line(HEADER_LINES).text[: grid.scrollable_content_region.width]
        results = [each.strip() for each in line.split("●")[1:]]
        assert results
        assert all(each in (*view.texts, "") or each.endswith("…") for each in results)
