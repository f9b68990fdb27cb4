"""``python -m benchmarks.gpu.spread [parity] [speed] [resume]``: one run on one device and over
several, as the supervisor would start it.

- parity: without dropout and in float32, how far the losses and the gradient norms of several
  devices are from those of one, relative.
- speed: the time an epoch with the configured settings, on MovieLens 1M and on generated data of
  the shape of MovieLens 10M.
- resume: one of the processes is killed after the first checkpoint, and the run goes on on one
  device.

``--device cpu`` tries it without GPUs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from benchmarks.common import MODELS, progress, run
from benchmarks.generated import TEN_MILLION, write_ratings
from benchmarks.gpu.report import Part
from benchmarks.lab import wait_for
from engine.config import load_catalogue
from engine.errors import UserError
from engine.journal import read_journal
from engine.machine.environment import thread_environment
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import save_spec
from engine.supervisor.launcher import WORKER, torchrun_command, torchrun_environment

SEED = 42
EXACT = {"dropout": 0.0, "dtype": "float32"}
"""Two processes drop other features than one does, so only without dropout are losses equal."""
COMPARED = ("loss", "grad_norm")
LARGE = "ml-10m"
SECONDS = 300.0
"""For one run."""


def parity(options: argparse.Namespace) -> Part:
    """Compare the losses and gradient norms of several devices with those of one, and beside it
    those of one device whose learning rate is another in its last bit: what rounding alone does."""
    part = Part(
        f"Equal figures ({options.device}, {options.dataset}, L = {options.length}, float32)",
        ["model", "devices", "last loss on one", "loss apart, by epoch", "gradient norm apart"],
    )
    for model in options.models:
        spec = _spec(model, options.dataset, options, EXACT)
        alone = trained(spec, options, 1)
        nudged = EXACT | {"lr": float(np.nextafter(np.float32(spec.training.lr), np.float32(1)))}
        others = {number: trained(spec, options, number) for number in options.devices}
        others |= {
            "1, rounded": trained(_spec(model, options.dataset, options, nudged), options, 1)
        }
        for devices, found in others.items():
            apart = [" ".join(map(_tiny, _apart(alone, found, name))) for name in COMPARED]
            part.add(model, devices, f"{alone[-1]['loss']:.6f}", *apart)
    return part


def speed(options: argparse.Namespace) -> Part:
    """Take the time of an epoch on one device and on several."""
    part = Part(
        f"Time an epoch ({options.device}, L = {options.length}, as configured)",
        ["data set", "model", "devices", "training, s", "on one, s", "ratio", "evaluation, s"],
        notes=["The median of the epochs after the first, which holds what libraries prepare."],
    )
    with tempfile.TemporaryDirectory() as folder:
        for dataset in options.datasets:
            data = None
            if dataset == LARGE:
                data = Path(folder)
                progress("writing ratings of the shape of MovieLens 10M ...")
                (data / "ml-10M100K").mkdir()
                write_ratings(data / "ml-10M100K" / "ratings.dat", TEN_MILLION)
            for model in options.models:
                spec = _spec(model, dataset, options, {})
                alone = _seconds(trained(spec, options, 1, data))
                for several in options.devices:
                    training, evaluation = _seconds(trained(spec, options, several, data))
                    ratio = f"× {alone[0] / training:.2f}"
                    times = (training, alone[0], ratio, evaluation)
                    part.add(dataset, model, several, *times)
    return part


def resume(options: argparse.Namespace) -> Part:
    """Kill one process of several after the first checkpoint, and go on on one device."""
    part = Part(
        f"A process killed, the run resumed on one ({options.device}, {options.dataset})",
        ["model", "devices", "others gone after, s", "ended", "resumed at", "loss apart, at most"],
        notes=["The loss is set against that of a run on one device that nothing disturbed."],
    )
    for model in options.models:
        spec = _spec(model, options.dataset, options, EXACT | {"epochs": options.resume_epochs})
        alone = trained(spec, options, 1)
        for several in options.devices:
            with tempfile.TemporaryDirectory() as scratch:
                folder = _folder(Path(scratch), spec)
                gone = _killed(folder, options, several)
                ended = _end(folder, 1)
                _execute(folder, options, 1, attempt=2)
                first, rest = _epochs(folder, 1), _epochs(folder, 2)
            at = rest[0]["epoch"]
            apart = max(_apart(alone, [*first[: at - 1], *rest], "loss"))
            part.add(model, several, f"{gone:.1f}", ended, f"epoch {at}", _tiny(apart))
    return part


PARTS: Mapping[str, Callable[[argparse.Namespace], Part]] = {
    "parity": parity,
    "speed": speed,
    "resume": resume,
}


def trained(
    spec: RunSpec, options: argparse.Namespace, processes: int, data: Path | None = None
) -> list[dict[str, Any]]:
    """Return the epochs of a run that was trained to its end.

    Raises:
        UserError: it didn't come to its end.
    """
    progress(f"{spec.model} × {spec.dataset}, {processes} ...")
    with tempfile.TemporaryDirectory() as scratch:
        folder = _folder(Path(scratch), spec)
        _execute(folder, options, processes, data=data)
        return _epochs(folder, 1)


def _spec(
    model: str, dataset: str, options: argparse.Namespace, overrides: Mapping[str, Any]
) -> RunSpec:
    limits = {"epochs": options.epochs, "patience": 1_000}
    return load_catalogue().run_spec(
        model, dataset, options.length, SEED, "reference", overrides={**limits, **overrides}
    )


def _folder(scratch: Path, spec: RunSpec) -> RunFolder:
    folder = RunFolder(scratch)
    save_spec(folder, spec, created=time.time())
    return folder


def _start(
    folder: RunFolder, options: argparse.Namespace, processes: int, attempt: int, data: Path | None
) -> subprocess.Popen[bytes]:
    command = [*WORKER, str(folder.path), "--attempt", str(attempt), "--device", options.device]
    command += ["--threads", str(options.threads)]
    surroundings = os.environ | thread_environment(options.threads)
    surroundings["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))
    if data is not None:
        surroundings["SEQBENCH_DATA"] = str(data)
    if processes > 1:
        command = torchrun_command(command, processes)
        surroundings |= torchrun_environment()
    with folder.log.open("ab") as log:
        return subprocess.Popen(command, env=surroundings, stdout=log, stderr=log)


def _execute(
    folder: RunFolder,
    options: argparse.Namespace,
    processes: int,
    attempt: int = 1,
    data: Path | None = None,
) -> None:
    with _start(folder, options, processes, attempt, data) as child:
        try:
            left = child.wait(SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            left = child.wait()
    if not (how := _end(folder, attempt)).startswith("done"):
        log = folder.log.read_text(errors="replace")[-3000:]
        raise UserError(f"{processes} processes: {how}, left with {left}\n{log}")


def _killed(folder: RunFolder, options: argparse.Namespace, processes: int) -> float:
    """Start a run, kill its last process after the first checkpoint; return the seconds until the
    others are gone too."""
    with _start(folder, options, processes, 1, None) as child:
        wait_for(lambda: _lines(folder, 1, "checkpoint"), "the first checkpoint")
        ranks = [
            each
            for each in psutil.Process(child.pid).children(recursive=True)
            if each.environ().get("RANK") == str(processes - 1)
        ]
        ranks[0].kill()
        began = time.monotonic()
        child.wait(SECONDS)
    return time.monotonic() - began


def _lines(folder: RunFolder, attempt: int, kind: str) -> list[dict[str, Any]]:
    journal = folder.journal(attempt)
    lines = read_journal(journal).lines if journal.exists() else []
    return [line.fields for line in lines if line.kind == kind]


def _epochs(folder: RunFolder, attempt: int) -> list[dict[str, Any]]:
    return _lines(folder, attempt, "epoch")


def _end(folder: RunFolder, attempt: int) -> str:
    """How an attempt ended by its own journal."""
    ends = _lines(folder, attempt, "end")
    return f"{ends[-1]['status']} ({ends[-1]['cause']})" if ends else "without a word"


def _apart(
    alone: Sequence[Mapping[str, Any]], several: Sequence[Mapping[str, Any]], name: str
) -> list[float]:
    """The relative difference of a figure, epoch by epoch."""
    both = zip(alone, several, strict=True)
    return [abs(float(other[name]) / float(one[name]) - 1) for one, other in both]


def _tiny(value: float) -> str:
    return f"{value:.0e}" if value else "0"


def _seconds(epochs: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """The median time of training and of evaluating, of the epochs after the first."""
    counted = epochs[1:] or epochs
    return (
        median(epoch["train_seconds"] for epoch in counted),
        median(epoch["eval_seconds"] for epoch in counted),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.spread", description=__doc__)
    parser.add_argument("parts", nargs="*", help="only these: parity speed resume")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--dataset", default="ml-1m", help="of parity and resume")
    parser.add_argument("--datasets", nargs="+", default=("ml-1m", LARGE), help="of speed")
    parser.add_argument("--length", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--resume-epochs", type=int, default=60, help="as --epochs, of resume")
    parser.add_argument("--devices", type=int, nargs="+", default=(2,), help="of a run")
    parser.add_argument("--threads", type=int, default=4, help="of each process")
    options = parser.parse_args()
    chosen = options.parts or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"{', '.join(unknown)}: there are {', '.join(PARTS)}.")
    os.environ.setdefault("NCCL_NVLS_ENABLE", "0")  # multicast needs rights that containers lack
    for name in chosen:
        print(f"{PARTS[name](options).markdown()}\n", flush=True)


if __name__ == "__main__":
    run(main)
