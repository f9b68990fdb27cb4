"""The devices on the Launch screen: load, slots, and processes of others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from live_runs import LiveStore
from pilots import settled, wait_for
from textual.widgets import Static

from engine.machine.busyprocesses import ForeignProcess
from engine.machine.occupancy import DeviceUse
from engine.store.location import StoreLocation
from engine.store.queries import Run
from tui.app import SeqbenchApp
from tui.launch.costs.estimates import Machine
from tui.launch.devices.slots import DeviceSlots
from tui.widgets.lines import line_length

RUN = Run(
    "x", "sasrec", "synthetic", 50, 1, "reference", None, "f" * 12, "running", 1, 0.0, 0.0,
    None, 1, 0, None, 3, 10, 30, 10, 1.0, 79_113, 3, 0.1, None, None, "",
)  # fmt: skip
FREE = DeviceUse("GPU 1", "NVIDIA H100", (None,), None, None, None)
TAKEN = DeviceUse(
    "GPU 0", "NVIDIA \x1b[31mH100 80GB HBM3", (None, None), 97.0, 77_824.0, 81_920.0,
    foreign=(ForeignProcess(7, "train.py", "ada", None, 31_744.0), ForeignProcess(8)),
)  # fmt: skip


def rows(panel: DeviceSlots, width: int, height: int) -> list[str]:
    lines = panel.draw(width, height)
    assert all(line_length(line) <= width for line in lines)
    assert len(lines) <= height
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def panel_of(*devices: DeviceUse) -> DeviceSlots:
    panel = DeviceSlots()
    panel.machine = Machine(devices=devices)
    return panel


def test_a_gpu_in_full_with_the_processes_of_others() -> None:
    head, free, named, unnamed = rows(panel_of(TAKEN), 50, 4)
    assert head.startswith("GPU 0 NVIDIA H100")
    assert head.endswith("97 %  76.0 / 80 GiB")
    assert free == "  · 2 free"
    assert named.startswith("  ! train.py (ada)")
    assert named.endswith("31.0 GiB")
    assert unnamed.startswith("  ! process 8")
    assert unnamed.endswith("n/a")


def test_unknown_figures_are_not_zero() -> None:
    head, _ = rows(panel_of(FREE), 50, 5)
    assert head.endswith("n/a  n/a")
    assert "0 %" not in head


def test_runs_that_share_a_gpu_are_shown_with_their_parts_of_its_updates() -> None:
    slow = replace(RUN, id="y", model="xlstm", epoch_seconds=3.0)
    both = replace(TAKEN, slots=(RUN, slow, None), foreign=())
    _, first, second, free = rows(panel_of(both), 60, 5)
    assert "75% of updates · 40%" in first
    assert "25% of updates · 40%" in second
    assert free == "  · free"
    assert "updates" not in rows(panel_of(replace(both, slots=(RUN, None))), 60, 5)[1]
    assert "updates" not in rows(panel_of(replace(both, cores=4)), 60, 5)[1], "cores of its own"
    assert "updates" not in rows(panel_of(both), 40, 5)[1], "no room"


def test_many_devices_take_a_line_each_and_more_are_counted() -> None:
    panel = panel_of(TAKEN, *[FREE] * 7)
    assert panel.full_lines == 4 + 7 * 2
    short = rows(panel, 50, 8)
    assert short[0].startswith("GPU 0 ")
    assert short[0].endswith("0/2  2 !")
    assert rows(panel, 50, 3)[-1] == "and 6 more"


@pytest.mark.parametrize("width", [10, 24, 46])
def test_it_fits_wherever_it_is(width: int) -> None:
    for line in panel_of(TAKEN, FREE).draw(width, 20):
        assert line is not None
    assert str(panel_of(TAKEN, FREE).digest()).startswith("GPU 0 97 %  GPU 1 n/a  0/3 slots")


async def test_the_run_in_a_slot_is_shown_beside_the_load(empty_store: LiveStore) -> None:
    empty_store.begin_here(empty_store.launch("sasrec", seed=7))
    async with SeqbenchApp(empty_store.location).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        panel = pilot.app.screen.query_one(DeviceSlots)
        await wait_for(pilot, lambda: panel.machine.devices, "the machine is shown")
        [cpu] = panel.machine.devices
        assert cpu.slots[0] is not None
        assert cpu.slots[0].seed == 7
        assert cpu.utilization is not None
        await wait_for(pilot, lambda: "× 50  seed 7" in text_of(panel), "the run")
        assert f"load {panel.machine.devices[0].load:.1f}" in text_of(panel)


def text_of(panel: DeviceSlots) -> str:
    return "\n".join(panel.render_line(y).text for y in range(panel.size.height))


async def test_a_narrow_screen_has_a_line_and_a_key_for_them(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen = pilot.app.screen
        panel, summary = screen.query_one(DeviceSlots), screen.query_one("#summary", Static)
        await wait_for(pilot, lambda: panel.machine.devices, "the machine is known")
        await pilot.pause()
        assert "slot" in str(summary.border_subtitle)
        assert not panel.display
        await pilot.press("d")
        await pilot.pause()
        assert panel.display
        assert not summary.display
        assert panel.region.bottom < 24
        await pilot.press("d")
        await pilot.pause()
        assert summary.display
