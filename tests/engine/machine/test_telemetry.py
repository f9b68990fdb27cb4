"""The host is always read; the driver's silence is said in words, never as a zero."""

from __future__ import annotations

import os
import subprocess
import sys

from engine.machine.telemetry import Sampler


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
