"""Several runs trained by the threads of one process: each as in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event, Lock, get_ident

import pytest
import torch
from own_models import FITTED, OWN, with_model
from remembered import CPU, Memory

from engine.datasets.load import load_interactions
from engine.errors import TrainingError
from engine.models import Definition
from engine.models.builtin import gru4rec, hstu
from engine.models.registry import definition_of
from engine.spec import RunSpec
from engine.training.lanes import ALONE, Lane, Lanes
from engine.training.loop import Interrupted, Outcome, train

SECONDS = 60.0
"""After which a thread that waits is taken for one that waits for ever."""

Run = tuple[RunSpec, Definition]


def runs(tiny_spec: Callable[..., RunSpec]) -> list[Run]:
    """Runs that draw random numbers, and cast weights, in every way that there is."""
    own = tiny_spec(epochs=2)
    known = [
        tiny_spec("sasrec", epochs=4, dropout=0.3, ema=0.9, dtype="bfloat16", tied=True),
        tiny_spec("bert4rec", epochs=3, dropout=0.2, last_mask_share=0.3, dtype="bfloat16"),
        tiny_spec("xlstm", epochs=2, dropout=0.2, loss="gbce", negatives=16),
        tiny_spec("sasrec", seed=2, epochs=2, objective="prefix", loss="sampled", negatives=8),
        tiny_spec("esasrec", epochs=3, negatives=8, dtype="bfloat16"),
    ]
    return [
        *((spec, definition_of(spec)) for spec in known),
        (with_model(own, gru4rec.MODEL, dim=8, samples=20, dropout=0.2), gru4rec.MODEL),
        (with_model(own, hstu.MODEL, dim=8, layers=1, dropout=0.2), hstu.MODEL),
        (with_model(own, OWN, dropout=0.2), OWN),
        (with_model(own, FITTED, reach=None), FITTED),
    ]


def trained(run: Run, lane: Lane = ALONE, **arguments: object) -> list[object]:
    """Train a run; return all of its figures but times."""
    spec, definition = run
    memory = Memory()
    outcome: Outcome = train(
        spec,
        definition,
        load_interactions(spec.source),
        CPU,
        memory,
        lane=lane,
        **arguments,  # type: ignore[arg-type]
    )
    return [
        [(r.step, r.loss, r.grad_norm) for r in memory.updates],
        [(r.epoch, r.targets, r.loss, r.metrics, r.settings) for r in memory.epochs],
        [(name, value.tolist()) for name, value in outcome.best.model.items()],
        outcome.test_ranks.tolist(),
    ]


def together(lanes: Lanes, works: list[Callable[[Lane], object]]) -> list[Future[object]]:
    """Do work in lanes that begin at the same moment, each in a thread; return when all of it has
    ended."""
    start = Barrier(len(works))

    def lead(work: Callable[[Lane], object]) -> object:
        with lanes.lane(CPU) as lane:
            start.wait(SECONDS)
            return work(lane)

    with ThreadPoolExecutor(len(works)) as threads:
        found = [threads.submit(lead, work) for work in works]
        for each in found:
            each.exception(SECONDS)
    return found


def test_figures_are_those_of_a_run_alone(tiny_spec) -> None:
    chosen = runs(tiny_spec)
    alone = [trained(run) for run in chosen]
    before = torch.default_generator.get_state()
    found = together(Lanes(), [lambda lane, run=run: trained(run, lane) for run in chosen])
    for run, one, beside in zip(chosen, alone, found, strict=True):
        assert beside.result() == one, run[1].title
    assert torch.equal(torch.default_generator.get_state(), before), "nobody draws from it"


def test_a_run_that_fails_or_is_stopped_harms_no_other(tiny_spec) -> None:
    spec = tiny_spec("sasrec", epochs=4, dropout=0.2)
    run = spec, definition_of(spec)
    diverges = tiny_spec(lr=10, weight_decay=10, epochs=200, patience=200)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 12

    def breaks(lane: Lane) -> None:
        with lane.randomness():
            torch.rand(3)
            raise ZeroDivisionError

    alone = trained(run)
    good, failed, stopped, broken = together(
        Lanes(),
        [
            lambda lane: trained(run, lane),
            lambda lane: trained((diverges, definition_of(diverges)), lane),
            lambda lane: trained(run, lane, stop=stop),
            breaks,
        ],
    )
    assert good.result() == alone
    assert isinstance(failed.exception(), TrainingError)
    assert isinstance(stopped.exception(), Interrupted)
    assert isinstance(broken.exception(), ZeroDivisionError)


def test_nobody_computes_while_a_lane_has_the_device(tiny_spec) -> None:
    lanes, guard = Lanes(), Lock()
    computing: set[Lane] = set()
    alone = 0

    def compute(lane: Lane) -> None:
        with guard:
            computing.add(lane)
        with lane.randomness():
            torch.rand(100).sort()
        with guard:
            computing.remove(lane)

    def work(lane: Lane) -> None:
        nonlocal alone
        for number in range(60):
            lane.give_way()
            compute(lane)
            if number % 5 == 0:
                with lane.exclusive():
                    for _ in range(3):
                        with guard:
                            assert not computing
                        compute(lane)
                        lane.give_way()  # nobody to give way to
                    alone += 1
            with lane.aside():
                pass

    for each in together(lanes, [work] * 6):
        each.result()
    assert alone == 6 * 12


@pytest.mark.parametrize("raises", [False, True])
def test_a_lane_that_ends_is_waited_for_no_longer(raises: bool) -> None:
    wants = Event()

    def ends(lane: Lane) -> None:
        wants.wait(SECONDS)
        if raises:
            raise ZeroDivisionError

    def takes(lane: Lane) -> int:
        wants.set()
        with lane.exclusive():
            return lane.others

    _, taken = together(Lanes(), [ends, takes])
    assert taken.result() == 0


def test_a_lane_that_fails_while_it_has_the_device_hands_it_on() -> None:
    def fails(lane: Lane) -> None:
        with lane.exclusive():
            raise ZeroDivisionError

    def takes(lane: Lane) -> bool:
        with lane.exclusive():
            return True

    failed, taken, other = together(Lanes(), [fails, takes, takes])
    assert isinstance(failed.exception(), ZeroDivisionError)
    assert taken.result()
    assert other.result()


def test_a_lane_begins_when_no_other_has_the_device() -> None:
    lanes, said = Lanes(), []

    def begins() -> None:
        with lanes.lane(CPU) as lane:
            said.append("begun")
            assert lane.others <= 1

    with ThreadPoolExecutor(1) as thread, lanes.lane(CPU) as lane:
        with lane.exclusive():
            begun = thread.submit(begins)
            while not lane.others:
                pass
            said.append("had the device")
        with lane.aside():
            begun.result(SECONDS)
    assert said == ["had the device", "begun"]


def test_who_draws_may_not_wait() -> None:
    with Lanes().lane(CPU) as lane, lane.randomness():
        for wait in (lane.exclusive, lane.aside, lane.randomness):
            with pytest.raises(RuntimeError, match="can't wait"), wait():
                pass


def test_random_numbers_are_those_of_the_seed_whatever_others_draw() -> None:
    torch.manual_seed(5)
    expected = [torch.rand(3).tolist(), torch.randn(3).tolist(), torch.randn(1).tolist()]
    lanes = Lanes()
    with lanes.lane(CPU) as one, lanes.lane(CPU) as two:
        one.seed(5)
        found = []
        for draw in (torch.rand, torch.randn):
            with one.randomness():
                found.append(draw(3).tolist())
            two.seed(9)
            with two.randomness():
                torch.rand(7)
        with one.randomness():
            found.append(torch.randn(1).tolist())
    assert found == expected


def test_the_common_thread_works_for_one_lane_at_a_time_and_waits_like_it() -> None:
    threads, busy, most = set(), 0, 0

    def counted(lane: Lane) -> int:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        threads.add(get_ident())
        with lane.exclusive(), lane.randomness():
            found = int(torch.randint(1_000, ()))
        busy -= 1
        return found

    def several(lane: Lane) -> list[int]:
        lane.seed(3)
        found = []
        for _ in range(20):
            lane.give_way()
            found.append(lane.in_common_thread(lambda: counted(lane)))
            with lane.exclusive():
                pass
        return found

    alone = several(ALONE)
    threads.clear()
    most = 0
    found = [each.result() for each in together(Lanes(), [several] * 4)]
    assert found == [alone] * 4
    assert (len(threads), most) == (1, 1)


def test_the_common_thread_raises_what_its_work_raises_and_works_on() -> None:
    with Lanes().lane(CPU) as lane:
        with pytest.raises(ZeroDivisionError):
            lane.in_common_thread(lambda: 1 // 0)
        assert lane.in_common_thread(lambda: 1) == 1
        with lane.exclusive(), pytest.raises(RuntimeError, match="common thread"):
            lane.in_common_thread(lambda: 1)
        with lane.randomness(), pytest.raises(RuntimeError, match="draws"):
            lane.in_common_thread(lambda: 1)
