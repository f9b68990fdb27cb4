"""``python -m benchmarks.gpu.spread``: one run on one GPU and over two, with the same batches.

The run over several is a worker that ``torchrun`` started, as the supervisor would. Prints the loss
of every epoch, the metrics and the time an epoch. ``--device cpu`` tries it without GPUs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import progress, run
from benchmarks.gpu.report import Part
from engine.config import load_catalogue
from engine.errors import UserError
from engine.journal import read_journal
from engine.machine.environment import thread_environment
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import save_spec
from engine.supervisor.launcher import WORKER, torchrun_command, torchrun_environment

SEED = 42
CASES = ("as configured", "float32, no dropout")
"""Two processes drop other features than one does, so only without dropout are losses equal."""
SHOWN = ("valid_ndcg", "test_recall", "test_ndcg")
SECONDS = 240.0
"""For one run."""


def spread(options: argparse.Namespace) -> Part:
    headers = ["run", "case", "processes", "loss of each epoch", *SHOWN]
    part = Part(f"One run over several devices ({options.device})", [*headers, "s an epoch"])
    catalogue = load_catalogue()
    for model in options.models:
        for case in CASES:
            exact = {} if case == CASES[0] else {"dropout": 0.0, "dtype": "float32"}
            overrides = {"epochs": options.epochs, "patience": options.epochs} | exact
            spec = catalogue.run_spec(
                model, options.dataset, options.length, SEED, "reference", overrides=overrides
            )
            for processes in options.processes:
                progress(f"{model} × {options.dataset}, {case}, {processes} ...")
                epochs = trained(spec, options.device, processes, options.threads)
                # The first epoch holds what libraries prepare at their first use.
                seconds = [epoch["train_seconds"] for epoch in epochs[1:] or epochs]
                part.rows.append(
                    {
                        "run": f"{model}, {options.dataset}, L = {options.length}",
                        "case": case,
                        "processes": processes,
                        "loss": ", ".join(f"{epoch['loss']:.6f}" for epoch in epochs),
                        **{name: f"{epochs[-1][name]:.5f}" for name in SHOWN},
                        "train_seconds": median(seconds),
                    }
                )
    return part


def trained(spec: RunSpec, device: str, processes: int, threads: int) -> list[dict[str, Any]]:
    """The epochs of a run to its end.

    Raises:
        UserError: it didn't come to its end.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = RunFolder(Path(scratch))
        save_spec(folder, spec, created=time.time())
        command = [*WORKER, scratch, "--attempt", "1", "--device", device]
        command += ["--threads", str(threads)]
        surroundings = os.environ | thread_environment(threads)
        surroundings["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))
        if processes > 1:
            command = torchrun_command(command, processes)
            surroundings |= torchrun_environment()
        done = subprocess.run(
            command, env=surroundings, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        lines = read_journal(folder.journal(1)).lines if folder.journal(1).exists() else []
    end = next((line.fields for line in lines if line.kind == "end"), None)
    if end is None or end["status"] != "done":
        why = end["message"] if end else f"it left with {done.returncode}"
        raise UserError(f"{processes} processes: {why}\n{done.stderr[-3000:]}")
    return [line.fields for line in lines if line.kind == "epoch"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.spread", description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--models", nargs="+", default=("sasrec", "xlstm"))
    parser.add_argument("--dataset", default="ml-1m")
    parser.add_argument("--length", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--processes", type=int, nargs="+", default=(1, 2))
    parser.add_argument("--threads", type=int, default=4, help="of each process")
    options = parser.parse_args()
    os.environ.setdefault("NCCL_NVLS_ENABLE", "0")  # multicast needs rights that containers lack
    print(spread(options).markdown())


if __name__ == "__main__":
    run(main)
