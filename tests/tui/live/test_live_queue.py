"""The queue table: the cursor stays on its run."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from live_lines import Stage, screen_text
from textual import on
from textual.app import ComposeResult
from textual.geometry import Size

from engine.store.queries import Run
from tui.live.queue_table import LEAST_ROWS, MOST_ROWS, QueueTable
from tui.shell.states import ANNOTATED
from tui.shell.text import cells, run_label
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
    assert head == "state run progress epoch left / ended best NDCG device"
    assert running.startswith("◐ running sasrec · ml-100k · L50 · s1")
    assert "12/60" in running
    assert "3 m 10 s" in running
    assert "0.0812 cpu" in running
    assert queued.startswith("○ queued")
    assert "━" not in queued
    assert "5 m ago" in done


async def test_fits_are_named_as_such_in_all_rows_or_in_none() -> None:
    app = Queue()
    fits = [
        replace(DONE, id=f"f{number}", model="markov", fitted=True, epoch=number, epochs=number)
        for number in (8, 12)
    ]
    async with app.run_test(size=(120, 8)) as pilot:
        app.table.show([*fits, RUNNING], NOW)
        await pilot.pause()
        assert all(
            text in screen_text(app)[1 + n] for n, text in enumerate((" fit 8/8", "fit 12/12"))
        )
        await pilot.resize_terminal(100, 8)
        assert [screen_text(app)[1 + n].count("fit") for n in range(2)] == [0, 0]
        assert all(text in screen_text(app)[1 + n] for n, text in enumerate((" 8/8", " 12/12")))


async def test_a_refit_says_what_it_waits_for() -> None:
    refit = replace(NEW, id="f", seed=2, refits=RUNNING.id)
    app = Queue()
    async with app.run_test(size=(200, 8)) as pilot:

        async def said(*runs: Run) -> str:
            app.table.show(runs, NOW)
            await pilot.pause()
            (line,) = [line for line in screen_text(app) if "· s2" in line]
            return " ".join(line.split())

        assert "waits for sasrec L50 s1" in await said(RUNNING, refit)
        assert "waits for sasrec L50 s1" in await said(replace(NEW, id=RUNNING.id), refit)
        assert "next" in await said(refit, replace(RUNNING, state="done", finished=NOW))
        assert "next" in await said(refit)  # the other one ended long ago
        for width, words in {120: "waits for sasr…", 80: "waits 0/60"}.items():
            await pilot.resize_terminal(width, 8)
            assert words in await said(RUNNING, refit)


async def test_a_paused_trial_says_so_and_nothing_waits_for_it() -> None:
    paused = replace(NEW, id="p", seed=2, study="one", trial=0, held=1)
    app = Queue()
    async with app.run_test(size=(200, 8)) as pilot:
        app.table.show([RUNNING, paused, replace(NEW, seed=3)], NOW)
        await pilot.pause()
        lines = [" ".join(line.split()) for line in screen_text(app)]
        assert [("paused" in line, "next" in line) for line in lines if "· s" in line][-2:] == [
            (True, False), (False, True),
        ]  # fmt: skip
        app.table.show([replace(paused, trial=7)], NOW, labels={"p": "lr=0.003"})
        await pilot.pause()
        assert "· s2 · trial 7 lr=0.003" in "\n".join(screen_text(app))
        await pilot.resize_terminal(80, 8)
        assert "L50 s2 trial 7 lr=" in "\n".join(screen_text(app))


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


async def test_running_runs_stay_on_top_while_the_others_scroll() -> None:
    app = Queue()
    async with app.run_test(size=(80, 7)) as pilot:
        running = [replace(RUNNING, id=f"r{i}", seed=900 + i) for i in (1, 2)]
        app.table.show([*running, *(replace(NEW, id=str(i), seed=i) for i in range(9))], NOW)
        await pilot.pause()
        assert "▼ 5 more" in screen_text(app)[0]
        assert "▲" not in screen_text(app)[0]
        await pilot.press(*["down"] * 6)
        await pilot.pause()
        rows = screen_text(app)
        assert "▲ 1 more  ▼ 4 more" in rows[0]
        assert [row.split("· s")[1].split()[0] for row in rows[1:7]] == [
            "901", "902", "1", "2", "3", "4",
        ]  # fmt: skip
        await pilot.click(offset=(5, 2))
        assert app.table.selected == running[1]
        await pilot.pause()
        assert "s1 " in screen_text(app)[3], "what is in sight stays"
        await pilot.click(offset=(5, 4))
        assert app.table.selected is not None
        assert app.table.selected.seed == 2
        await pilot.press("end")
        await pilot.pause()
        assert "s8" in screen_text(app)[6]
        assert "▼" not in screen_text(app)[0]
        await pilot.press("home")
        await pilot.pause()
        assert "▲" not in screen_text(app)[0], "the first run, and those that follow it"


async def test_more_running_runs_than_rows_scroll_too() -> None:
    app = Queue()
    async with app.run_test(size=(80, 4)) as pilot:
        app.table.show([replace(RUNNING, id=str(i), seed=i) for i in range(6)], NOW)
        await pilot.press("end")
        await pilot.pause()
        assert "▲ 3 more" in screen_text(app)[0]
        assert "s5" in screen_text(app)[3]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 80))
def test_the_queue_is_as_high_as_it_has_rows_and_leaves_most_to_the_charts(
    running: int, waiting: int, terminal: int
) -> None:
    table = QueueTable()
    table.show([RUNNING] * running + [NEW] * waiting, NOW)
    size = Size(80, terminal)
    rows = table.get_content_height(size, size, 80) - 1
    assert LEAST_ROWS <= rows <= max(LEAST_ROWS, min(running + waiting, MOST_ROWS))
    assert rows <= max(LEAST_ROWS, terminal / 3)
    if terminal >= 36 and running < 7:
        assert rows >= min(running + waiting, running + 1)


async def test_a_run_with_a_note_or_tags_has_a_sign() -> None:
    app = Queue()
    async with app.run_test(size=(80, 8)) as pilot:
        noted, tagged = replace(NEW, id="n", note="why"), replace(NEW, id="t", tags='["paper"]')
        app.table.show([NEW, noted, tagged], NOW)
        await pilot.pause()
        assert [ANNOTATED in row for row in screen_text(app)[1:4]] == [False, True, True]


@given(st.builds(replace, st.just(NEW), model=st.text(min_size=1, max_size=20),
                 dataset=st.text(min_size=1, max_size=20), length=st.integers(1, 999),
                 seed=st.integers(0, 9999)), st.integers(22, 60),
       st.sampled_from(["", "lr=0.01"]))  # fmt: skip
def test_a_name_is_cut_in_its_middle(run: Run, width: int, settings: str) -> None:
    label = run_label(run, width, settings)
    assert cells(label) <= width
    more = settings and f" · {settings}"
    end = f" · L{run.length} · s{run.seed}{more}"
    assert label.endswith((end, end.replace(" ·", "")))


def test_long_settings_leave_the_model_in_its_name() -> None:
    run = replace(NEW, model="bert4rec", dataset="ml-100k", length=10, seed=4)
    name = run_label(run, 34, "study-sasrec-bert4rec-xlstm-ml-100k-l10")
    assert name == "bert4rec L10 s4 study-sasrec-bert…"


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
