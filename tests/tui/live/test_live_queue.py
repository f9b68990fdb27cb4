"""The queue table: the cursor stays on its run."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from live_lines import Stage, screen_text
from textual import on
from textual.app import ComposeResult

from engine.store.queries import Run
from tui.live.queue_table import QueueTable
from tui.widgets.lines import line_length

NOW = 1_790_000_000.0
NEW = Run(
    id="a", model="sasrec", dataset="ml-100k", length=50, seed=1, profile="reference", suite=None,
    fingerprint="0" * 12, state="queued", position=1, created=NOW - 900, started=None,
    finished=None, attempt=1, losses=0, device=None, epoch=None, epochs=60, step=None,
    epoch_step=None, steps_per_epoch=None, epoch_seconds=None, parameters=270_291, best_epoch=None,
    best_valid_ndcg=None, cause=None, message=None, note="",
)  # fmt: skip
RUNNING = replace(
    NEW, id="r", state="running", started=NOW - 60, device="cpu", epoch=12, step=500,
    epoch_step=480, steps_per_epoch=40, epoch_seconds=4.0, best_epoch=11, best_valid_ndcg=0.0812,
)  # fmt: skip
DONE = replace(RUNNING, id="d", state="done", finished=NOW - 300)


class Queue(Stage):
    """Notes which runs were selected."""

    def __init__(self) -> None:
        self.table = QueueTable()
        super().__init__(self.table)
        self.selected: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.table

    @on(QueueTable.Selected)
    def note(self, message: QueueTable.Selected) -> None:
        self.selected.append(message.run_id)


async def test_rows_say_state_progress_time_and_figures() -> None:
    app = Queue()
    async with app.run_test(size=(120, 8)) as pilot:
        app.table.show([RUNNING, NEW, DONE], NOW)
        await pilot.pause()
        head, running, queued, done = (" ".join(line.split()) for line in screen_text(app)[:4])
    assert head == "state run progress epoch time left best NDCG device"
    assert running.startswith("◐ running sasrec · ml-100k · L50 · s1")
    assert "12/60" in running
    assert "3 m 10 s" in running
    assert "0.0812 cpu" in running
    assert queued.startswith("○ queued")
    assert "━" not in queued
    assert "5 m ago" in done


async def test_the_cursor_stays_on_its_run_when_rows_move() -> None:
    app = Queue()
    async with app.run_test(size=(80, 8)) as pilot:
        app.table.show([RUNNING, NEW, DONE], NOW)
        await pilot.press("down")
        other = replace(NEW, id="b", state="running")
        app.table.show([RUNNING, other, replace(NEW, state="running"), DONE], NOW)
        await pilot.pause()
        assert app.table.selected is not None
        assert app.table.selected.id == NEW.id
        await pilot.press("end")
        await pilot.press("down")
        assert app.table.selected.id == DONE.id
        await pilot.press("home")
        await pilot.pause()
    assert app.selected == ["r", "a", "d", "r"]


async def test_until_the_user_chooses_the_cursor_follows_what_runs() -> None:
    app = Queue()
    async with app.run_test(size=(80, 8)) as pilot:
        app.table.show([DONE], NOW)
        app.table.show([RUNNING, DONE], NOW)
        app.table.show([replace(NEW, state="running"), RUNNING, DONE], NOW)
        await pilot.pause()
    assert app.selected == ["d", "r"]


async def test_a_selected_run_that_is_gone_gives_way() -> None:
    app = Queue()
    async with app.run_test(size=(80, 8)) as pilot:
        app.table.show([RUNNING, DONE], NOW)
        await pilot.press("down")
        app.table.show([RUNNING], NOW)
        await pilot.pause()
        assert app.table.selected == RUNNING
        app.table.show([], NOW)
        assert app.table.selected is None


async def test_the_cursor_is_kept_in_sight_among_many() -> None:
    app = Queue()
    async with app.run_test(size=(80, 6)) as pilot:
        runs = [replace(NEW, id=str(i), seed=i) for i in range(500)]
        app.table.show(runs, NOW)
        await pilot.press("end")
        await pilot.pause()
        assert "s499" in screen_text(app)[-1]
        await pilot.press("up", "up", "up", "up", "up")
        await pilot.pause()
        assert "s494" in screen_text(app)[1]
        await pilot.click(offset=(5, 3))
        assert app.table.selected is not None
        assert app.table.selected.seed == 496


async def test_a_new_step_repaints_its_row_only() -> None:
    app = Queue()
    async with app.run_test(size=(120, 12)) as pilot:
        runs = [replace(RUNNING, id=str(i), seed=i) for i in range(8)]
        app.table.show(runs, NOW)
        await pilot.pause()
        runs[3] = replace(runs[3], epoch=13, step=520, epoch_step=520)
        app.table.show(runs, NOW + 2)
        assert {region.y for region in app.table._repaint_regions} == {4}


texts = st.text(max_size=30)


@given(texts, texts, st.sampled_from(["running", "done", "lost", "from-the-future"]),
       st.integers(1, 220))  # fmt: skip
def test_any_names_fit_any_width(model: str, device: str, state: str, width: int) -> None:
    table = QueueTable()
    run = replace(RUNNING, model=model, device=device, state=state, note="", epochs=None)
    table.show([run, DONE], NOW)
    for line in table.draw(width, 4)[:1]:
        assert line
    if width >= 50:
        plain_rows = table.draw(width, 4)[2:]
        assert all(line_length(line) <= width + 1 for line in plain_rows)
