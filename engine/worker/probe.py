"""``python -m engine.worker.probe FILE --device cpu``: describe the machine that this runs on.

Writes one JSON object to FILE: host, time, versions of Python, packages and code, GPUs that torch
can use, and which of the folders in `FOLDERS` are absent.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from engine.files.atomic import write_atomically
from engine.worker.provenance import software

PACKAGES = ("torch", "numpy", "pydantic")
FOLDERS = ("SEQBENCH_CACHE", "SEQBENCH_DATA")
"""Environment variables that name folders which runs need."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.worker.probe")
    parser.add_argument("file", type=Path)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    arguments = parser.parse_args()
    found = {
        "host": socket.gethostname(),
        "interpreter": sys.executable,
        "python": platform.python_version(),
        "code": software()["code"],
        "packages": {name: _version(name) for name in PACKAGES},
        "gpus": _gpus() if arguments.device == "cuda" else [],
        "absent": [path for name in FOLDERS if (path := os.environ.get(name)) and _absent(path)],
        "t": time.time(),
    }
    write_atomically(arguments.file, json.dumps(found))
    return 0


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _gpus() -> list[str]:
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def _absent(folder: str) -> bool:
    return not Path(folder).is_dir()


if __name__ == "__main__":
    sys.exit(main())
