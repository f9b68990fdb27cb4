"""What limits an update: how long the GPU computes and waits in it, and on what kinds of work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.profiler import ProfilerActivity

from benchmarks.common import in_turns, progress
from benchmarks.gpu.report import Part
from benchmarks.stepprofile import ORDER, shares
from benchmarks.workload import workload

ROUNDS = 20


def profile(models: Sequence[str], datasets: Sequence[str], length: int) -> Part:
    """The update as one CUDA graph, and the shares of its kernels' time as they run one by one."""
    headers = ["run", "an update, ms", "kernels", "of them, ms", "waiting, %", "median kernel, µs"]
    part = Part(f"What an update's time goes to, L = {length}", [*headers, *ORDER])
    device = torch.device("cuda")
    for dataset in datasets:
        for model in models:
            progress(f"{model} × {dataset} ...")
            work = workload(model, dataset, length, device)
            update = work.repeatable(work.batches[0])
            whole = 1e3 * min(in_turns({"graph": update}, ROUNDS, device)["graph"])
            kernels = kernel_times(update)
            busy = sum(kernels) / 1e3
            eager = shares(work.repeatable(work.batches[0], eager=True), ROUNDS, device)
            part.rows.append(
                {
                    "run": f"{model}, {dataset}",
                    "update_ms": whole,
                    "kernels": len(kernels),
                    "kernels_ms": busy,
                    "waiting_percent": 100 * max(0.0, 1 - busy / whole),
                    "median_kernel_us": sorted(kernels)[len(kernels) // 2],
                    **{group: f"{eager[group]:.0%}" for group in ORDER},
                }
            )
    return part


def kernel_times(update: Callable[[], object]) -> list[float]:
    """Microseconds of each kernel and copy of one call, in any order."""
    update()
    torch.cuda.synchronize()
    with torch.profiler.profile(activities=[ProfilerActivity.CUDA]) as profiler:
        update()
        torch.cuda.synchronize()
    on_gpu = torch.autograd.DeviceType.CUDA
    return [
        event.time_range.elapsed_us()
        for event in profiler.events() or []
        if event.device_type == on_gpu
    ]
