"""The energy of training: RAPL's counters as files of a test, NVML's through the real `pynvml`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nvidia import Gpu, Machine
from rapl import SPAN, Powercap

from engine.machine.energy import Energy, EnergyMeter, rapl_zones
from engine.marks import UNDISTURBED_SHARE


@pytest.fixture
def powercap(tmp_path: Path) -> Powercap:
    return Powercap(tmp_path / "powercap")


def measured(powercap: Powercap, *during: Callable[[], None]) -> Energy:
    """The energy of a training in which these things happen, each followed by a look."""
    meter = EnergyMeter(powercap=powercap.root, busy=lambda: 0.0, short_seconds=0.0)
    with meter.training():
        for happening in during:
            happening()
            meter.look()
    return meter.last


def test_packages_and_their_memory_are_counted_once(powercap: Powercap) -> None:
    names = {
        "intel-rapl:0": "package-0",
        "intel-rapl:0:0": "core",
        "intel-rapl:0:1": "uncore",
        "intel-rapl:0:2": "dram",
        "intel-rapl:1": "package-1-die-0",
        "intel-rapl:2": "psys",
        "intel-rapl-mmio:0": "package-0",
    }
    for folder, name in names.items():
        powercap.has(folder, name, 1_000_000)
    (powercap.root / "intel-rapl").mkdir()
    found = {zone.path.name for zone in rapl_zones(powercap.root)}
    assert found == {"intel-rapl:0", "intel-rapl:0:2", "intel-rapl:1"}

    def all_count() -> None:
        for each, folder in enumerate(names):
            powercap.counts(folder, 1_000_000 + 10**each)

    assert measured(powercap, all_count).cpu == pytest.approx((1 + 1_000 + 10_000) * 1e-6)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, SPAN), used=st.lists(st.integers(1, SPAN - 1), min_size=1, max_size=5))
def test_a_counter_may_begin_again_between_any_two_looks(
    tmp_path: Path, start: int, used: Sequence[int]
) -> None:
    powercap = Powercap(tmp_path)
    if not (tmp_path / "intel-rapl:0").exists():
        powercap.has("intel-rapl:0", "package-0", start)
    powercap.counts("intel-rapl:0", start)
    counts, count = [], start
    for each in used:
        count = count + each if count + each <= SPAN else count + each - SPAN
        counts.append(count)
    steps = [lambda count=count: powercap.counts("intel-rapl:0", count) for count in counts]
    assert measured(powercap, *steps).cpu == pytest.approx(1e-6 * sum(used))


def test_what_is_not_known_is_absent_and_no_zero(powercap: Powercap) -> None:
    assert measured(powercap) == Energy(None, None, 0.0), "no counters"
    powercap.has("intel-rapl:0", "package-0", 5_000_000)
    powercap.has("intel-rapl:0:0", "dram", 1_000_000)
    assert measured(powercap).cpu is None, "they don't move"
    grows = lambda: powercap.counts("intel-rapl:0", 7_000_000)  # noqa: E731
    assert measured(powercap, grows).cpu == pytest.approx(2.0)
    powercap.hides("intel-rapl:0:0")
    grows = lambda: powercap.counts("intel-rapl:0", 9_000_000)  # noqa: E731
    assert measured(powercap, grows).cpu is None, "one of them may not be read"


def test_a_counter_that_is_hidden_for_a_while_is_absent_from_one_epoch_only(
    powercap: Powercap,
) -> None:
    powercap.has("intel-rapl:0", "package-0", 0)
    meter = EnergyMeter(powercap=powercap.root, busy=lambda: 0.0, short_seconds=0.0)
    told = []
    for hidden in (False, True, False):
        powercap.counts("intel-rapl:0", 1_000_000)
        with meter.training():
            if hidden:
                powercap.hides("intel-rapl:0")
                meter.look()
            powercap.counts("intel-rapl:0", 4_000_000)
        powercap.counts("intel-rapl:0", 50_000_000)  # of the evaluation
        meter.look()
        told.append(meter.last.cpu)
    assert told == [pytest.approx(3.0), None, pytest.approx(3.0)]


def test_short_epochs_have_the_power_of_the_time_around_them(powercap: Powercap) -> None:
    powercap.has("intel-rapl:0", "package-0", 0)
    meter = EnergyMeter(powercap=powercap.root, busy=lambda: 0.0, short_seconds=1_000.0)
    with meter.training():
        powercap.counts("intel-rapl:0", 3_000_000)
    first = meter.last.cpu
    assert first is not None
    assert 0 < first <= 3.0, "a share of what was counted since the meter was made"
    powercap.hides("intel-rapl:0")
    with meter.training():
        pass
    second = meter.last.cpu
    assert second is not None, "the counters aren't read again so soon"
    assert second > 0
    meter.skip()
    with meter.training():
        pass
    assert meter.last.cpu is None, "what was skipped says nothing of what follows"


def test_energy_of_processors_that_others_used_is_not_the_runs() -> None:
    energy = Energy(gpu=5.0, cpu=7.0, busy=100.0)
    assert energy.cpu_of(100.0) == energy.cpu_of(100 * UNDISTURBED_SHARE) == 7.0
    assert energy.cpu_of(50.0) is None
    assert Energy(None, None, 0.0).cpu_of(1.0) is None


def test_the_machines_cpu_time_is_at_least_that_of_a_process() -> None:
    import time

    meter = EnergyMeter(powercap=Path("absent"))
    began = time.process_time()
    with meter.training():
        while time.process_time() < began + 0.3:
            pass
    assert meter.last.busy > 0.2


METERING = """
import json, sys
from pathlib import Path
from engine.machine.energy import EnergyMeter
meter = EnergyMeter(sys.argv[1:], Path("absent"), lambda: 0.0, short_seconds=0.0)
for _ in sys.stdin:
    with meter.training():
        print("training", flush=True)
        sys.stdin.readline()
    print(json.dumps(meter.last.gpu), flush=True)
meter.close()
"""


def test_gpus_are_added_up_where_the_driver_counts_all_of_them(nvidia: Machine) -> None:
    a, b = Gpu("GPU-aaaa", millijoules=10**12), Gpu("GPU-bbbb", millijoules=500)
    other = Gpu("GPU-cccc", millijoules=1)

    def counted(first: int, second: int) -> tuple[Gpu, ...]:
        return (
            replace(a, millijoules=10**12 + first),
            replace(b, millijoules=500 + second),
            replace(other, millijoules=10**6),
        )

    uncounted = (replace(a, millijoules=None), counted(0, 900)[1])
    epochs: list[tuple[tuple[Gpu, ...], tuple[Gpu, ...], float | None]] = [
        ((a, b, other), counted(2_500, 1_500), 4.0),
        (counted(3_000, 1_500), counted(3_000, 2_000), None),
        ((a, b), (replace(a, millijoules=40), counted(0, 9)[1]), None),
        ((a, b), uncounted, None),
        (uncounted, uncounted, None),
        ((a, b), (counted(9, 0)[0], b.gone()), None),
        ((a, b), counted(1, 1), 0.002),
    ]
    nvidia.has(a, b, other)
    with subprocess.Popen(
        [sys.executable, "-c", METERING, a.uuid, b.uuid],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=nvidia.environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for before, after, wanted in epochs:
            nvidia.has(*before)
            process.stdin.write("begin\n")
            process.stdin.flush()
            assert process.stdout.readline() == "training\n"
            nvidia.has(*after)
            process.stdin.write("end\n")
            process.stdin.flush()
            found = json.loads(process.stdout.readline())
            assert found == (wanted and pytest.approx(wanted)), (before, after)
    assert process.returncode == 0


def test_a_gpu_that_the_driver_does_not_list_has_no_energy(nvidia: Machine) -> None:
    """As a part of a divided one (MIG)."""
    nvidia.has(Gpu("GPU-aaaa", millijoules=5))
    done = subprocess.run(
        [sys.executable, "-c", METERING, "MIG-aaaa"],
        env=nvidia.environment,
        input="begin\nend\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "training\nnull\n"
