"""A machine with NVIDIA GPUs, as far as their driver tells: the real `pynvml` over a driver of our
own (`nvml/driver.c`), for processes that are started with `Machine.environment`."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "nvml" / "driver.c"


@dataclass(frozen=True)
class Gpu:
    """What one GPU tells. ``None`` is "not supported"; memory in MiB."""

    uuid: str
    name: str = "NVIDIA H100 80GB HBM3"
    util: int | None = 45
    used: int | None = 1_024
    total: int | None = 81_559
    reserved: int = 480
    """By the driver for itself; it isn't in ``used``."""
    watts: int | None = 350
    limit_watts: int | None = 700
    temp: int | None = 61
    millijoules: int | None = None
    """Since the driver was loaded."""
    processes: tuple[tuple[int, int | None], ...] | None = ()
    throttle: int | None = 0
    """NVML's bits of why the clock is held down."""
    old_driver: bool = False
    lost: bool = False

    def line(self) -> str:
        if self.lost:
            return "lost"
        procs = None
        if self.processes is not None:
            procs = ",".join(f"{pid}:{'-' if m is None else m}" for pid, m in self.processes)
        told = {
            "uuid": self.uuid,
            "name": self.name.replace(" ", "_"),
            "util": self.util,
            "used": self.used,
            "total": self.total,
            "reserved": None if self.old_driver else self.reserved,
            "power": None if self.watts is None else self.watts * 1_000,
            "limit": None if self.limit_watts is None else self.limit_watts * 1_000,
            "temp": self.temp,
            "energy": self.millijoules,
            "procs": procs,
            "old-throttle" if self.old_driver else "throttle": self.throttle,
        }
        return " ".join(f"{key}={value}" for key, value in told.items() if value is not None)

    def gone(self) -> Gpu:
        """It fell off the bus."""
        return replace(self, lost=True)


@dataclass(frozen=True)
class Machine:
    library: Path
    state: Path

    def has(self, *gpus: Gpu, init: int = 0) -> None:
        """From now on it has these, also for programs that run already."""
        text = "\n".join([f"init={init}", *(gpu.line() for gpu in gpus)]) + "\n"
        aside = self.state.with_suffix(".new")
        aside.write_text(text)
        aside.replace(self.state)

    @property
    def environment(self) -> dict[str, str]:
        """For a process on this machine."""
        paths = [str(self.library.parent), os.environ.get("LD_LIBRARY_PATH", "")]
        inherited = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
        return inherited | {
            "LD_LIBRARY_PATH": ":".join(filter(None, paths)),
            "NVML_STATE": str(self.state),
        }


def build_driver(folder: Path) -> Path:
    """Compile the driver. Skips the test where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc), so no NVIDIA driver to ask")
    library = folder / "libnvidia-ml.so.1"
    name = f"-Wl,-soname,{library.name}"
    options = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-D_GNU_SOURCE", name]
    subprocess.run([compiler, *options, "-o", str(library), str(SOURCE)], check=True)
    return library
