"""The Live screen over real stores: what it shows, what it reads, what it asks for."""

from __future__ import annotations

import random
import re
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from live_app import know_the_surroundings, select, show_live
from live_lines import screen_text
from live_runs import NOW, LiveStore, epoch_line, populate, start, step
from pilots import settled, wait_for
from replayed_run import devices
from textual.geometry import Region
from textual.widget import Widget

from engine.store.compare.comparison import runs_by_id
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.charts.braille.chart import Chart
from tui.charts.reading import find_companions
from tui.live.log.tail import LogTail
from tui.live.queue_words import end_words
from tui.live.reading import (
    Known,
    QueueEnd,
    read_update,
)
from tui.live.run_facts import RunFacts, _speed


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


async def test_without_runs_it_says_how_to_launch_some(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test(size=(80, 24)) as pilot:
        await show_live(pilot)
        shown = "\n".join(screen_text(app))
        assert "Press 1 to choose runs and launch them" in shown
        await pilot.press("x", "t", "g", "f", "enter")
        await pilot.pause()


async def test_the_running_run_is_shown_with_all_that_is_known(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 40)) as pilot:
        await show_live(pilot)
        screen = await select(pilot, runs["running"])
        await wait_for(
            pilot, lambda: "epoch 27: loss" in "\n".join(screen_text(app)), "the log is shown"
        )
        shown = "\n".join(screen_text(app))
        parts = [
            "sasrec · synthetic · L50 · s42", "27/60", "270,291", "cpu · bfloat16",
            "best epoch 27", "latest epoch is best, patience 10", "train 3.2 s, eval 0.8 s",
            "no time estimate yet", "Learning rate 0.001 (constant)",
            "Log · 1 warning", "No GPU found",
        ]  # fmt: skip
        assert [part for part in parts if part not in shown] == []
        loss = screen.query_one("#loss", Chart)
        await wait_for(pilot, lambda: len(loss.curves["step"].ys) == 270, "its steps")
        assert len(loss.curves["epoch"].ys) == 27
        assert loss.curves["epoch"].xs("epoch")[-1] == 26.5


async def test_an_epoch_takes_what_the_tables_say(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    empty_store.mark(run, "running")
    seconds = (90.0, 2.0, 4.0)  # the first waits for the data
    chance = random.Random(1)
    lines = [epoch_line(n, chance) | {"train_seconds": each} for n, each in enumerate(seconds, 1)]
    empty_store.journal(run, [start(), *lines])
    with closing(connect_reader(empty_store.location)) as connection:
        [[told]] = runs_by_id(connection, ["train_seconds_median"], [run])
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(200, 50)) as pilot:
        await show_live(pilot)
        await select(pilot, run)
        assert f"per epoch  train {told:.1f} s, eval 0.8 s" in "\n".join(screen_text(app))


async def test_times_say_what_was_beside_the_run_and_which_part_of_the_updates_it_makes(
    empty_store: LiveStore,
) -> None:
    runs = [empty_store.launch("sasrec", seed=seed) for seed in (1, 2, 3)]
    for run, seconds, pid in zip(runs, (0.2, 2.2, 1.0), (7, 7, 8), strict=True):
        empty_store.mark(run, "running")
        epoch = epoch_line(1, random.Random(1)) | {"train_seconds": seconds, "eval_seconds": 0.2}
        sample = {"kind": "telemetry", "t": NOW, "gpu_others": 1}
        alone = [] if pid == 8 else [sample]
        empty_store.journal(run, [start(pid=pid, host="here"), epoch, *alone])
    async with SeqbenchApp(empty_store.location).run_test(size=(200, 50)) as pilot:
        await show_live(pilot)
        for run, share in zip(runs, ("86%", "14%"), strict=False):
            await select(pilot, run)
            shown = "\n".join(screen_text(pilot.app))
            assert "beside     1 other" in shown
            assert f"share      {share} of the updates" in shown
        await select(pilot, runs[2])
        assert "beside " not in "\n".join(screen_text(pilot.app))


async def test_a_fitted_model_counts_combinations(empty_store: LiveStore) -> None:
    run = empty_store.launch("markov")
    empty_store.mark(run, "running")
    sample = {"kind": "telemetry", "t": NOW, **devices(random.Random(1), gpu=False)}
    empty_store.journal(run, [start(), sample])
    async with SeqbenchApp(empty_store.location).run_test(size=(200, 50)) as pilot:
        await show_live(pilot)
        screen = await select(pilot, run)
        shown = "\n".join(screen_text(pilot.app))
        assert "Loss" not in shown, "it has no steps, before its first fit too"
        ram = screen.query_one("#ram", Chart)
        last = ram.draw(60, 10)[-1]
        assert "".join(text for text, _ in last).split()[-1] == "combination"
        assert "e-7" not in shown, "an axis of which nothing is reached ends at 1"


async def test_a_long_epoch_has_two_lines(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    empty_store.mark(run, "running")
    slow = {"train_seconds": 674.0, "eval_seconds": 75.0}
    empty_store.journal(run, [start(), epoch_line(1, random.Random(1)) | slow])
    async with SeqbenchApp(empty_store.location).run_test(size=(120, 36)) as pilot:
        await show_live(pilot)
        await select(pilot, run)
        facts = pilot.app.screen.query_one(RunFacts)
        lines = ["".join(text for text, _ in line).strip() for line in facts.draw(30, 20)]
        first = lines.index("per epoch  train 11 m 14 s")
        assert lines[first + 1] == "eval 1 m 15 s"
        assert "eval 1 m 15 s" in "\n".join(screen_text(pilot.app))


async def test_the_log_of_a_retried_run_does_not_end_in_what_ended_before(
    empty_store: LiveStore,
) -> None:
    run = empty_store.launch("sasrec")
    end = {"t": NOW, "kind": "end", "status": "cancelled", "message": "Cancelled."}
    empty_store.train(run, 2)
    empty_store.journal(run, [end])
    empty_store.resume(run, 2, resumed_epoch=2, epochs=1)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await show_live(pilot)
        await select(pilot, run)

        def log() -> list[str]:
            tail = screen.query_one(LogTail)
            lines = tail.draw(tail.size.width, tail.size.height)
            return ["".join(text for text, _ in line)[:15].rstrip() for line in lines]

        def ends_in(*lines: str) -> bool:
            return log()[-len(lines) :] == list(lines)

        went_on = ("end: Cancelled.", "attempt 2 resum", "epoch   3   los")
        await wait_for(pilot, lambda: ends_in(*went_on), "the second attempt")
        empty_store.log(run, "a worker's word\n")
        await wait_for(pilot, lambda: ends_in(*went_on, "a worker's word"), "the log")
        empty_store.journal(run, [end | {"status": "done", "message": ""}], attempt=2)
        await wait_for(pilot, lambda: ends_in("a worker's word", "end: done"), "the end")


@pytest.mark.parametrize(
    ("end", "paused", "words"),
    [
        (None, False, ["no time estimate yet"]),
        (QueueEnd(1_500, False, 0), False, ["about 25 min", "done at 18:40"]),
        (QueueEnd(1_500, True, 0), False, ["at most 25 min", "done by 18:40"]),
        (QueueEnd(1_500, False, 0), True, ["about 25 min"]),
        (QueueEnd(1_500, False, 2), False, ["about 25 min", "2 runs without an estimate"]),
        (QueueEnd(86_400, False, 0), False, ["about 24 h", "done at Tue 18:15"]),
    ],
)
def test_the_end_of_the_queue_in_words(
    end: QueueEnd | None, paused: bool, words: list[str]
) -> None:
    now = datetime(2026, 9, 21, 18, 15).timestamp()  # in this machine's time, as it is shown
    assert end_words(end, 3, paused, now) == words
    assert end_words(end, 0, paused, now) == []


async def test_what_trains_and_its_loss_are_in_sight_in_every_size(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(200, 50)) as pilot:
        screen = await show_live(pilot)
        await select(pilot, runs["last"])
        for size in ((200, 50), (120, 36), (80, 24), (60, 18), (40, 10)):
            await pilot.resize_terminal(*size)
            await wait_for(pilot, lambda: app.size == size, f"{size}")  # noqa: B023
            await pilot.pause()
            lines = screen_text(app)
            assert sum("◐" in line and "s42" in line for line in lines) == 2, size
            assert any("2 running · 2 queued" in line for line in lines), size
            assert any("xlstm" in line and "L100" in line and "s43" in line for line in lines), size
            assert any("Loss" in line for line in lines), size
            assert screen.queue.region.bottom <= screen.charts.region.y, size
            plotted = screen.query_one("#loss", Chart).size.height
            assert plotted >= (6 if size[1] >= 18 else 1), size


async def test_it_says_how_fast_it_trains(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    empty_store.mark(run, "running")
    lines = [epoch_line(n, random.Random(1)) | {"train_seconds": 4.0} for n in (1, 2)]
    empty_store.journal(run, [start(train_interactions=98_000), *lines])
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(200, 50)) as pilot:
        await show_live(pilot)
        await select(pilot, run)
        assert "speed      24,500 interactions/s" in "\n".join(screen_text(app))


def test_a_fast_gpu_leaves_room_for_the_unit() -> None:
    said = [_speed(speed) for speed in (None, 999_999.4, 999_999.6, 1_534_438.0)]
    assert said[0] == []
    assert [words[0] for found in said[1:] for _, words in found] == [
        "999,999 interactions/s",
        "1.00 M interactions/s",
        "1.53 M interactions/s",
    ]


async def test_it_reads_only_what_is_new(empty_store: LiveStore) -> None:
    run = populate(empty_store)["running"]
    with closing(connect_reader(empty_store.location)) as connection:
        first = read_update(connection, Known(run))
        assert first.epochs is not None
        assert len(first.epochs) == 27
        again = read_update(connection, first.known)
        assert again.epochs is None
        empty_store.journal(run, [step(28, 1, random.Random(1))])
        more = read_update(connection, again.known)
        assert more.epochs is None
        empty_store.journal(run, [epoch_line(28, random.Random(1))])
        last = read_update(connection, more.known)
        assert last.epochs is not None
        assert len(last.epochs) == 28
        assert last.known.waiting is first.known.waiting
        added = empty_store.launch("sasrec", seed=77)
        assert read_update(connection, last.known).known.waiting.runs[-1].id == added


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_runs_of_a_sweep_are_told_apart(
    empty_store: LiveStore, size: tuple[int, int]
) -> None:
    runs = [empty_store.launch("sasrec", epochs=epochs) for epochs in (20, 30)]
    for run in runs:
        empty_store.train(run, 2, end="done")
    async with SeqbenchApp(empty_store.location).run_test(size=size) as pilot:
        screen = await show_live(pilot)
        await select(pilot, runs[0])
        for epochs in (20, 30):
            words = rf"● .*\bL50\b.*\bs1\b.*\bepochs={epochs} "
            assert re.search(words, "\n".join(screen_text(pilot.app))), epochs
        screen.charts.lay_over(runs[1:])
        await wait_for(
            pilot,
            lambda: re.search(r"a +epochs=20.*b +epochs=30", " ".join(screen_text(pilot.app))),
            "the legend",
        )
    found = find_companions(empty_store.location, runs[0], (), None)
    assert [(run.id, label) for run, label in found] == [(runs[1], "epochs=30")]


async def test_it_follows_a_run_as_it_trains(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await show_live(pilot)
        assert "waiting in the queue" in "\n".join(screen_text(app))
        chart = screen.query_one("#valid", Chart)
        empty_store.train(run, 2)
        await wait_for(pilot, lambda: len(chart.curves["NDCG"].ys) == 2, "two epochs")
        await wait_for(  # its log is empty
            pilot, lambda: "attempt 1 starts on cpu" in "\n".join(screen_text(app)), "the journal"
        )
        shown = "\n".join(screen_text(app))
        assert "epoch   2   loss 6.6479   valid NDCG 0." in shown
        empty_store.train(run, 3, first=3, end="done")
        await wait_for(pilot, lambda: len(chart.curves["NDCG"].ys) == 5, "five epochs")
        await wait_for(
            pilot, lambda: "end: All epochs are trained" in "\n".join(screen_text(app)), "the end"
        )
        assert "● done" in "\n".join(screen_text(app))


async def test_a_resumed_attempt_goes_on_from_its_checkpoint(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    empty_store.train(run, 4)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await show_live(pilot)
        curve = screen.query_one("#loss", Chart).curves["step"]
        xs = curve.xs("epoch")
        await wait_for(pilot, lambda: len(xs) == 40, "four epochs of steps")
        empty_store.resume(run, 2, 3)
        await wait_for(pilot, lambda: xs and xs[-1] > 4.5, "the second attempt")
        assert list(xs) == sorted(set(xs))
        assert list(curve.xs("time")) == sorted(set(curve.xs("time")))


async def test_the_log_of_another_run_is_not_mixed_in(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    empty_store.log(runs["second"], "[red]hostile\x1b[2J\n")
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await show_live(pilot)
        tail = screen.query_one(LogTail)
        await select(pilot, runs["running"])
        await wait_for(pilot, lambda: len(tail._log) == 56, "its log")
        await select(pilot, runs["second"])
        await wait_for(
            pilot,
            lambda: [tail._log.line(n) for n in tail._log.numbers][6:] == ["[red]hostile"],
            "the other log",
        )
        await pilot.press("pageup", "pagedown", "f")
        assert tail.follows


async def test_a_store_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_bytes(b"this is no database, whatever its name says" * 100)
    app = SeqbenchApp(StoreLocation(tmp_path / "runs.db"))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2")
        await wait_for(
            pilot, lambda: "seqbench db rebuild" in "\n".join(screen_text(app)), "the problem"
        )


async def test_watching_lays_nothing_out_while_only_figures_change(
    empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(160, 48)) as pilot:
        await show_live(pilot)
        screen = await select(pilot, runs["running"])
        loss = screen.query_one("#loss", Chart).curves["step"]
        await wait_for(pilot, lambda: len(loss.ys) == 270, "its steps")
        assert "Learning rate 0.001 (constant)" in "\n".join(screen_text(app))
        await settled(pilot)
        laid_out: list[str] = []
        refresh = Widget.refresh

        def noted(widget: Widget, *regions: Region, layout: bool = False, **other: bool) -> Widget:
            if layout:
                laid_out.append(repr(widget))
            return refresh(widget, *regions, layout=layout, **other)

        monkeypatch.setattr(Widget, "refresh", noted)
        empty_store.journal(runs["running"], [step(28, 5, random.Random(1))])
        await wait_for(pilot, lambda: len(loss.ys) == 271, "another step")
        await settled(pilot)
        assert laid_out == []
