"""The curves of a run as they are read: only what is new, each step in its own epoch and moment."""

from __future__ import annotations

import random
from contextlib import closing

import pytest
from live_runs import NOW, STEPS_PER_EPOCH, LiveStore, epoch_line, start, step

from engine.store.connect import connect_reader
from tui.charts.reading import read_curves
from tui.charts.run_curves import Known, RunCurves


def refresh(store: LiveStore, curves: RunCurves) -> int:
    """Read what is new; how many points that is."""
    with closing(connect_reader(store.location)) as connection:
        update = read_curves(connection, curves.run_id, curves.known)
    assert update is not None
    curves.take(update)
    return sum(len(points.y) for points in update.points.values())


def test_it_reads_only_what_is_new(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    empty_store.train(run, 27)
    curves = RunCurves(run)
    assert refresh(empty_store, curves) == 3 * 270 + 5 * 27
    assert refresh(empty_store, curves) == 0
    empty_store.journal(run, [step(28, 1, random.Random(1))])
    assert refresh(empty_store, curves) == 3
    assert curves.curves["step.loss"].xs("step")[-1] == 27 * STEPS_PER_EPOCH + 1
    empty_store.journal(run, [epoch_line(28, random.Random(1))])
    assert refresh(empty_store, curves) == 5
    assert len(curves.curves["epoch.valid_ndcg"].ys) == 28
    assert curves.best is not None
    assert curves.end is None


def test_what_was_read_for_other_curves_of_the_run_is_ignored(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    empty_store.train(run, 2)
    before = RunCurves(run)
    refresh(empty_store, before)
    empty_store.train(run, 1, first=3)
    with closing(connect_reader(empty_store.location)) as connection:
        update = read_curves(connection, run, before.known)
    assert update is not None
    chosen_again = RunCurves(run)
    chosen_again.take(update)
    assert chosen_again.known == Known()
    refresh(empty_store, chosen_again)
    assert len(chosen_again.curves["epoch.loss"].ys) == 3


def test_an_unknown_run_has_no_curves(empty_store: LiveStore) -> None:
    with closing(connect_reader(empty_store.location)) as connection:
        assert read_curves(connection, "nobody", Known()) is None


def test_steps_lie_in_their_own_epoch_however_long_it_is(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    chance = random.Random(1)
    lines = [start(steps_per_epoch=10)]
    for number, epoch in ((5, 1), (12, 1), (13, 2), (26, 3)):
        lines.append({**step(1, 1, chance), "step": number, "epoch": epoch})
        if number in (12, 13):
            ended = {1: 12, 2: 21}[epoch]
            lines.append({**epoch_line(epoch, chance), "step": ended})
    empty_store.journal(run, lines)
    curves = RunCurves(run)
    refresh(empty_store, curves)
    assert list(curves.curves["step.loss"].xs("epoch")) == [0.5, 1.0, 1.1, 2.5]
    assert list(curves.curves["step.loss"].xs("step")) == [5, 12, 13, 26]


def test_means_over_an_epoch_lie_in_its_middle(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    empty_store.train(run, 2)
    curves = RunCurves(run)
    refresh(empty_store, curves)
    loss, ndcg = curves.curves["epoch.loss"], curves.curves["epoch.valid_ndcg"]
    assert (list(loss.xs("epoch")), list(ndcg.xs("epoch"))) == ([0.5, 1.5], [1, 2])
    assert list(loss.xs("step")) == [STEPS_PER_EPOCH / 2, STEPS_PER_EPOCH * 1.5]
    # 3.2 s of training, 0.8 s of evaluation, 4 s an epoch.
    assert list(loss.xs("time")) == pytest.approx([1.6, 5.6])
    assert list(ndcg.xs("time")) == pytest.approx([4, 8])


def test_another_attempt_replaces_what_it_does_again_and_the_gap_is_left_out(
    empty_store: LiveStore,
) -> None:
    run = empty_store.launch("sasrec")
    empty_store.train(run, 4)
    curves = RunCurves(run)
    refresh(empty_store, curves)
    before = curves.curves["step.loss"].xs("time")[-1]
    empty_store.mark(run, "running", 2)
    chance = random.Random(2)
    later = {"t": NOW + 100_000}
    empty_store.journal(
        run,
        [
            {**start(resumed_epoch=3), **later},
            {**step(4, 1, chance), "t": NOW + 100_001},
            {**epoch_line(4, chance), "t": NOW + 100_004},
        ],
        2,
    )
    refresh(empty_store, curves)
    loss = curves.curves["step.loss"]
    assert list(loss.xs("epoch")) == sorted(set(loss.xs("epoch")))
    assert len(loss.ys) == 31
    assert before < loss.xs("time")[-1] < before + 10
    assert len(curves.curves["epoch.valid_ndcg"].ys) == 4


def test_an_ended_run_says_where_it_ended(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    empty_store.train(run, 3, end="done")
    curves = RunCurves(run)
    refresh(empty_store, curves)
    assert curves.end is not None
    assert (curves.end.epoch, curves.end.step) == (3, 3 * STEPS_PER_EPOCH)
    assert curves.figures_at(4.0)[:2] == [("epochs finished", "1"), ("step", "37")]
    assert dict(curves.figures_at(4.0))["learning rate"] == "0.001"
    assert dict(curves.figures_at(-1.0))["valid NDCG@10"] == "–"
