"""What is said about a launch before it happens: time, memory, slots, and where that is from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psutil
import pytest
from live_runs import LiveStore
from pilots import settled, wait_for
from textual.pilot import Pilot
from textual.widgets import Static

from engine.config import Catalogue, Slots, load_catalogue
from engine.machine.estimates import CostEstimate
from engine.machine.gpus import Gpu
from engine.machine.occupancy import DeviceUse
from engine.machine.slots import Slot, divide
from engine.order import Order
from engine.planning import PlannedRun, plan
from engine.spec import RunSpec
from engine.store.location import StoreLocation
from engine.store.queries import Run
from tui.app import SeqbenchApp
from tui.launch.confirm import ConfirmScreen
from tui.launch.costs.estimates import Machine, memory_text, slots_text, source_text, time_text
from tui.launch.devices.slots import DeviceSlots
from tui.launch.words import summary_text

GPU_SLOTS = [Slot(f"GPU-{n}/0", "cuda", "NVIDIA H100", 8, f"GPU-{n}") for n in (0, 1)]
RUN = Run(
    "x", "sasrec", "synthetic", 50, 1, "reference", None, "f" * 12, "running", 1, 0.0, 0.0,
    None, 1, 0, None, 3, 10, 30, 10, 1.0, 79_113, 3, 0.1, None, None, "",
)  # fmt: skip


def gpu(index: int, run: Run | None = None) -> DeviceUse:
    return DeviceUse(
        f"GPU {index}", "NVIDIA H100", (run,), 5.0, 1_024.0, 81_920.0, names=(f"GPU-{index}/0",)
    )


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def planned(
    catalogue: Catalogue, cost_of: Callable[[RunSpec], CostEstimate | None], seeds: int = 1
) -> tuple[PlannedRun, ...]:
    order = Order(
        frozenset({("sasrec", "synthetic", 50), ("xlstm", "synthetic", 50)}),
        tuple(range(seeds)),
        overrides={"epochs": "10"},
    )
    return plan(catalogue, order, frozenset(), cost_of).runs


def test_overrides_are_said_although_the_form_may_be_hidden(catalogue: Catalogue) -> None:
    cells = frozenset({("sasrec", "synthetic", 50)})
    order = Order(cells, (42,), overrides={"epochs": "10", "lr": "0.0005"})
    said = str(summary_text(plan(catalogue, order, frozenset(), lambda _: None), True, ""))
    assert said.splitlines()[1].startswith("epochs=10 · lr=0.0005 · 79,113 parameters")


def test_time_is_for_as_many_slots_as_there_are(catalogue: Catalogue) -> None:
    runs = planned(catalogue, lambda spec: CostEstimate("past", 6.0, 30.0, None))
    assert time_text(runs) == "about 1 m 00 s, at most 2 m 00 s"
    cores = [Slot(f"cpu/{n}", "cpu", "CPU", 2) for n in range(2)]
    assert time_text(runs, cores) == "about 30 s, at most 1 m 00 s"


def test_runs_that_share_a_gpu_gain_only_what_packing_gives(catalogue: Catalogue) -> None:
    runs = planned(catalogue, lambda spec: CostEstimate("past", 6.0, 36.0, None), seeds=4)
    slots = divide(Slots(gpu="auto"), [Gpu("GPU-0", "NVIDIA H200")], cores=16)
    assert len(slots) == len(runs) == 8
    assert time_text(runs, slots) == "about 2 m 32 s, at most 4 m 13 s"
    assert time_text(runs) == "about 4 m 48 s, at most 8 m 00 s"


def test_no_run_is_expected_to_take_longer_than_at_most(catalogue: Catalogue) -> None:
    runs = planned(catalogue, lambda spec: CostEstimate("past", 6.0, 150.0, None))
    assert time_text(runs) == "at most 2 m 00 s"


def test_what_is_not_known_is_not_guessed(catalogue: Catalogue) -> None:
    known = CostEstimate("measured", 6.0, None, 400.0)
    runs = planned(catalogue, lambda spec: known if spec.model == "sasrec" else None)
    assert time_text(runs) == "at most 1 m 00 s; 1 run without an estimate"
    assert memory_text(runs, Machine()) == ("400 MiB per run; 1 run without an estimate", False)
    assert time_text(runs[1:]) == "not known yet"
    assert memory_text(runs[1:], Machine()) == ("not known yet", False)
    assert slots_text(2, Machine()) == "not known yet"


def test_where_it_is_known_from_is_told(catalogue: Catalogue) -> None:
    def cost_of(spec: RunSpec) -> CostEstimate:
        return CostEstimate("past" if spec.model == "sasrec" else "nearest", 6.0, None, None)

    text = source_text(planned(catalogue, cost_of))
    assert text == "from past runs here, from runs of another length here"


def test_runs_take_free_slots_first(catalogue: Catalogue) -> None:
    machine = Machine(GPU_SLOTS, [gpu(0, RUN), gpu(1)])
    assert machine.free == GPU_SLOTS[1]
    assert slots_text(1, machine) == "GPU 1 (NVIDIA H100): 1 at once; 1/2 slots in use"
    assert slots_text(9, machine).startswith("GPU 1, GPU 0 (NVIDIA H100): 2 at once")
    shared = [Slot(f"GPU-0/{n}", "cuda", "NVIDIA H100", 8, "GPU-0") for n in range(8)]
    device = replace(gpu(0), slots=(None,) * 8, names=tuple(slot.name for slot in shared))
    assert slots_text(9, Machine(shared, [device])) == "GPU 0 (NVIDIA H100): up to 8 at once"
    assert Machine(GPU_SLOTS, [gpu(0, RUN), gpu(1, RUN)]).free is None
    assert Machine(GPU_SLOTS).free is None  # before the devices were looked at


def test_the_largest_runs_that_may_meet_are_held_against_the_memory(catalogue: Catalogue) -> None:
    slots = [Slot(f"cpu/{n}", "cpu", "CPU", 4) for n in (0, 1)]
    cpu = DeviceUse("CPU", "", (None, None), 5.0, 900.0, 4_096.0, names=("cpu/0", "cpu/1"))
    machine = Machine(slots, [cpu])
    runs = planned(catalogue, lambda spec: CostEstimate("past", 1.0, None, 1_536.0))
    assert memory_text(runs, machine) == (
        "1.5 GiB per run, 3.0 GiB for 2 at once (4.0 GiB available)",
        False,
    )
    assert memory_text(runs[:1], machine) == ("1.5 GiB (4.0 GiB available)", False)
    large = [replace(run, cost=CostEstimate("past", 1.0, None, 3_072.0)) for run in runs]
    assert memory_text(large, machine)[1]
    assert slots_text(2, machine) == "CPU: 2 at once, 4 threads each"
    on_gpus = Machine(GPU_SLOTS, [gpu(0), gpu(1)])
    assert memory_text(runs, on_gpus) == ("1.5 GiB per run (80.0 GiB available)", False)


def facts(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#facts", Static).content)


async def confirming(pilot: Pilot[None]) -> ConfirmScreen:
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
    assert isinstance(pilot.app.screen, ConfirmScreen)
    return pilot.app.screen


async def test_the_dialog_shows_the_devices_as_they_are_looked_at(
    absent_store: StoreLocation,
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, lambda: "1 to launch" in summary(pilot), "the plan")
        await pilot.press("enter")
        await confirming(pilot)
        panel = pilot.app.screen_stack[0].query_one(DeviceSlots)
        panel.machine = Machine(GPU_SLOTS, [gpu(0, RUN), gpu(1)])
        panel.looked.publish(panel.machine)
        await wait_for(pilot, lambda: "1/2 slots in use" in facts(pilot), "the devices")


async def test_leaving_ends_what_is_being_measured(
    absent_store: StoreLocation, measures: None
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, lambda: "1 to launch" in summary(pilot), "the plan")
        await pilot.press("enter")
        screen = await confirming(pilot)
        await wait_for(pilot, lambda: screen._measuring.process, "a measurement begins")
        assert "measuring 1 run …" in facts(pilot)
        assert screen._measuring.process is not None
        pid = screen._measuring.process.pid
        await pilot.press("escape")
        await wait_for(pilot, lambda: not psutil.pid_exists(pid), "its process is gone")
        await settled(pilot)


@pytest.mark.slow
async def test_what_no_run_tells_is_measured_and_remembered(
    absent_store: StoreLocation, measures: None
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, lambda: "1 to launch" in summary(pilot), "the plan")
        await pilot.press("enter")
        await confirming(pilot)
        await wait_for(pilot, lambda: "measured just now" in facts(pilot), "it is measured", 100)
        assert "at most" in facts(pilot)
        assert "MiB (" in facts(pilot)
        await pilot.press("escape")
        await wait_for(pilot, lambda: "measured just now" in summary(pilot), "the summary knows")


def summary(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen_stack[0].query_one("#summary", Static).content)


async def test_nothing_is_measured_beside_a_run(
    empty_store: LiveStore, measures: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = [Slot("cpu/0", "cpu", "CPU", 2)]
    monkeypatch.setattr("engine.machine.slots.detect_slots", lambda settings: one)
    empty_store.begin_here(empty_store.launch("sasrec", seed=7))
    async with SeqbenchApp(empty_store.location).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        screen = await confirming(pilot)
        await wait_for(pilot, lambda: "1/1 slots in use" in facts(pilot), "the slot")
        assert "measured once a slot is free" in facts(pilot)
        assert screen._measuring.process is None


def test_the_summary_counts_variants(catalogue: Catalogue) -> None:
    cells = frozenset({("sasrec", "synthetic", 50)})
    order = Order(cells, (1, 2, 3), variants={"whole": {}, "slow": {"lr": 0.0001}})
    text = summary_text(plan(catalogue, order, ()), by_hand=True, problem="").plain
    assert text.startswith("1 cell × 2 variants × 3 seeds = 6 runs · 6 to launch")


def test_the_summary_counts_the_values_of_a_sweep(catalogue: Catalogue) -> None:
    cells = frozenset({("sasrec", "synthetic", 50)})
    order = Order(cells, (1, 2), overrides={"lr": ("0.1", "0.01"), "dim": ("32", "64", "128")})
    found = plan(catalogue, order, ())
    text = summary_text(found, by_hand=True, problem="").plain
    assert text.startswith("1 cell × 2 values of lr × 3 values of dim × 2 seeds = 12 runs · 12 to")
    text = summary_text(found, by_hand=False, problem="").plain
    assert text.startswith("1 cell × 2 values of lr × 3 values of dim × 2 ")
    some = replace(order, variants={"whole": {}, "slow": {"lr": 0.0001}})
    text = summary_text(plan(catalogue, some, ()), by_hand=True, problem="").plain
    assert text.startswith("1 cell × 2 variants × 2 values of lr × 3 values of dim × 2 seeds: 18 ")
