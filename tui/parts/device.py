"""This machine's device in a few words, for the header; imported by the thread that asks for it."""

from __future__ import annotations

from engine.machine import telemetry
from engine.machine.gpus import visible_gpus
from tui.shell.text import count, plain


def device_name() -> str:
    """Name the GPUs that may be used, or else the CPU: ``2 × NVIDIA H200``, ``CPU, 4 cores``."""
    sampler = telemetry.Sampler()
    sample = sampler.sample()
    sampler.close()
    names = {gpu.uuid: gpu.name for gpu in sample.gpus}
    if gpus := visible_gpus(names).gpus:
        text = f"{len(gpus)} × {gpus[0].title}".removeprefix("1 × ")
    else:
        text = f"CPU, {count(sample.host.cores, 'core')}"
    return plain(text, 60)
