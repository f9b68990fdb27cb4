"""What all benchmarks share: the machine in words, tables, and times taken in turns."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch

from benchmarks.sides.pipe import peak_mib
from engine.errors import UserError

Key = TypeVar("Key")

MODELS = ("sasrec", "bert4rec", "xlstm")


def run(main: Callable[[], None]) -> None:
    """A benchmark as a program: what the user can put right is one sentence."""
    try:
        main()
    except UserError as error:
        sys.exit(str(error))


def progress(text: str) -> None:
    """Tell what is being measured, where it doesn't get into the tables."""
    print(text, file=sys.stderr, flush=True)


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def machine(device: torch.device) -> str:
    """One line: what the figures below it were measured on."""
    threads = f"{torch.get_num_threads()} threads, " if device.type == "cpu" else ""
    return (
        f"{device_name(device)}, {threads}PyTorch {torch.__version__}, "
        f"Python {platform.python_version()}, {platform.system()}"
    )


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    facts: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    name = facts.get("model name") or platform.processor() or "CPU"
    matrix_types = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16"}
    flags = facts.get("flags", "").split()
    return ", ".join([name, *(word for flag, word in matrix_types.items() if flag in flags)])


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table: the first column reads from the left, figures from the right."""
    lines = [headers, ["---", *["---:"] * (len(headers) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_resident() -> int:
    """Bytes of this process's memory at most, resident."""
    return int(peak_mib() * 2**20)


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Wall time of one call."""
    synchronize(device)
    started = time.perf_counter()
    work()
    synchronize(device)
    return time.perf_counter() - started


def in_turns(
    works: Mapping[Key, Callable[[], object]], rounds: int, device: torch.device
) -> dict[Key, list[float]]:
    """Seconds of each work in each round, after one round that isn't counted.

    The works take turns, so that a machine that slows down for a while slows all of them.
    """
    times: dict[Key, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            taken = seconds(work, device)
            if number:
                times[name].append(taken)
    return times
