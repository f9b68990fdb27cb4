"""The host is always read; the driver's silence is said in words, never as a zero."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.limits import CpuQuota, Limits
from engine.machine.telemetry import CpuLoad, Sampler


def test_the_host_is_read() -> None:
    sampler = Sampler(os.getpid())
    sample = sampler.sample()
    process = sampler.process()
    sampler.close()
    assert 0 <= sample.host.cpu_percent <= 100
    assert 0 < sample.host.memory_used_mib < sample.host.memory_total_mib
    assert sample.host.cores >= 1
    assert process is not None
    assert process.memory_mib > 1


def test_either_gpus_or_a_reason() -> None:
    sampler = Sampler()
    sample = sampler.sample()
    sampler.close()
    assert bool(sample.gpus) != bool(sample.gpu_note)
    for gpu in sample.gpus:
        assert gpu.uuid.startswith("GPU-")


def test_a_process_that_is_gone_reads_as_none() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    sampler = Sampler(child.pid)
    child.kill()
    child.communicate()
    assert sampler.process() is None


def test_it_is_light_to_import() -> None:
    heavy = "{'torch', 'numpy', 'pandas'} & set(sys.modules)"
    code = f"import sys, engine.machine.telemetry; print({heavy})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


CORES = frozenset(os.sched_getaffinity(0))


def test_the_load_is_of_the_quota_where_there_is_one(tmp_path: Path) -> None:
    usage = tmp_path / "cpu.stat"
    usage.write_text("usage_usec 0\n")
    limits = Limits(1, 2**40, CORES, CpuQuota(0.5, tmp_path / "cpu.max", usage))
    load = CpuLoad()
    load.percent(limits)
    assert load.percent(limits) == 0, "nothing was used meanwhile, whatever the machine does"
    usage.write_text(f"usage_usec {10**12}\n")
    assert load.percent(limits) == 100
    usage.unlink()
    assert 0 <= load.percent(limits) <= 100


def test_the_load_is_of_the_cores_that_the_process_may_run_on() -> None:
    load = CpuLoad()
    for allowed in (CORES, frozenset({0}), frozenset({10**6})):
        assert 0 <= load.percent(Limits(len(allowed), 2**40, allowed)) <= 100


def test_samplers_do_not_shorten_each_other_s_interval() -> None:
    """A core is kept busy, and in between others look: from this thread, and from a new one."""
    limits = Limits(1, 2**40, CORES)
    load, other = CpuLoad(), CpuLoad()
    before = time.process_time()
    while time.process_time() - before < 0.5:
        other.percent(limits)
    busy = 100 * 0.4 / len(CORES) / 4  # a quarter of it, should the machine be crowded
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(load.percent, limits).result() > busy


def test_a_look_at_once_tells_the_load_before() -> None:
    limits, load = Limits(1, 2**40, CORES), CpuLoad()
    before = time.process_time()
    while time.process_time() - before < 0.2:
        pass
    assert load.percent(limits) > 0
    assert load.percent(limits) > 0
