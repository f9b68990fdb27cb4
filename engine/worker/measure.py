"""``python -m engine.worker.measure --device cpu --threads 2``: measure what a run would cost.

Reads a `RunSpec` as JSON from stdin, trains a few updates, and prints one JSON object:
``epoch_seconds`` and ``memory_mib``, or ``problem``. Writes no file.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from engine.datasets.load import load_interactions
from engine.errors import UserError
from engine.machine.telemetry import MIB, Sampler
from engine.spec import RunSpec


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.worker.measure")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch likes")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    spec = RunSpec.model_validate_json(sys.stdin.read())
    with redirect_stdout(sys.stderr):  # what a model's file prints is no answer
        answer = _measured(spec, arguments.device, arguments.threads)
    print(json.dumps(answer), flush=True)  # noqa: T201
    return 0


def _measured(spec: RunSpec, kind: str, threads: int) -> dict[str, Any]:
    try:
        interactions = load_interactions(spec.source)
    except UserError as error:
        return {"problem": str(error)}

    # Not at the top: importing torch takes seconds, in which SIGINT must be ignored already.
    import torch

    from engine.models.load import sentence_of
    from engine.models.registry import definition_of
    from engine.training.measure import measure

    if threads:
        torch.set_num_threads(threads)
    try:
        found = measure(spec, definition_of(spec), interactions, torch.device(kind))
    except (MemoryError, torch.OutOfMemoryError):
        return {"problem": "There is not enough memory free to try it."}
    except (RuntimeError, AssertionError) as error:  # torch without CUDA says the latter
        said = str(error).splitlines()  # nothing, of a bare `assert` in a module of the user's
        return {"problem": said[0] if said else sentence_of(error)}
    except UserError as error:
        return {"problem": str(error)}
    except Exception as error:  # noqa: BLE001 -- whatever a module of the user's raises
        return {"problem": sentence_of(error)}
    return {
        "epoch_seconds": found.train_seconds + found.eval_seconds,
        "memory_mib": _gpu_memory() if kind == "cuda" else _peak_memory(),
    }


def _peak_memory() -> float:
    """Return this process's peak resident memory, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status has no VmHWM")


def _gpu_memory() -> float:
    """Return this process's GPU memory in MiB: the driver's value, or torch's peak if larger."""
    import torch  # see above

    sampler = Sampler()
    own = [
        memory
        for gpu in sampler.sample().gpus
        for pid, memory in gpu.processes
        if pid == os.getpid() and memory is not None
    ]
    sampler.close()
    return max([*own, torch.cuda.max_memory_reserved() / MIB])


if __name__ == "__main__":
    sys.exit(main())
