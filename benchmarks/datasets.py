"""Reading, preparing and opening data of the size of MovieLens 10M and 20M.

`python -m benchmarks.datasets [--folder FOLDER]`: the files are generated
there, in the layout of the originals, unless they are there already. Every figure is of a process
of its own: wall time, processor time and peak memory, with the machine's load before it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import machine, peak_resident, progress, run, table
from benchmarks.generated import TEN_MILLION, TWENTY_MILLION, Shape, write_ratings
from engine.spec import Dataset

OPENINGS = 20


@dataclass(frozen=True)
class Source:
    """One generated set."""

    name: str
    reader: str
    file: str
    shape: Shape
    naive: Mapping[str, Any]
    """What pandas' ``read_csv`` is usually told to read it with."""

    @property
    def naive_call(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.naive.items())
        return f"pd.read_csv(path{options})"


SOURCES = (
    Source(
        "10M",
        "movielens-colons",
        "ratings.dat",
        TEN_MILLION,
        {"sep": "::", "engine": "python", "names": ["u", "i", "r", "t"]},
    ),
    Source("20M", "movielens-csv", "ratings.csv", TWENTY_MILLION, {}),
)


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(prog="python -m benchmarks.datasets")
    parser.add_argument("--folder", type=Path, help="where the files are, or are put")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        _measure_here(json.loads(arguments.measure))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        print(machine(torch.device("cpu")), "\n")
        for source in SOURCES:
            _generate(source, folder)
        _read(folder)
        _open(folder)


def _generate(source: Source, folder: Path) -> None:
    path = folder / source.name / source.file
    if not path.exists():
        progress(f"generating {path} ...")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        write_ratings(part, source.shape)
        part.rename(path)


def _read(folder: Path) -> None:
    rows = []
    for source in SOURCES:
        path = folder / source.name / source.file
        path.read_bytes()  # the disk isn't what is measured
        works = {
            "seqbench: read and prepare": "prepare",
            f"`{source.naive_call}`, then sorted by user and time": "pandas",
        }
        for name, work in works.items():
            progress(f"{source.name}: {name} ...")
            asked = {"work": work, "source": source.name, "folder": str(folder)}
            found = _in_a_process(asked)
            figures = (f"{found['wall']:.1f}", f"{found['processor']:.1f}", f"{found['peak']:,.0f}")
            rows.append([source.name, name, *figures, f"{found['load']:.1f}"])
    print(table(["file", "work", "s", "processor, s", "peak MiB", "load"], rows), "\n")


def _open(folder: Path) -> None:
    rows = []
    for source in SOURCES:
        asked = {"source": source.name, "folder": str(folder)}
        _in_a_process(asked | {"work": "load"})  # there is a copy now
        found = _in_a_process(asked | {"work": "open"})
        times = found["times"]
        rows.append([source.name, f"{statistics.median(times):.1f}", f"{max(times):.1f}"])
    print(table(["prepared copy of", "opened in, ms, median", "longest"], rows), "\n")


def _in_a_process(asked: dict[str, Any]) -> dict[str, Any]:
    """Do a work in a fresh process, and measure it from within."""
    command = [sys.executable, "-m", "benchmarks.datasets", "--measure", json.dumps(asked)]
    environment = os.environ | {"SEQBENCH_CACHE": str(Path(asked["folder"]) / "cache")}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure_here(asked: dict[str, Any]) -> None:
    source = next(each for each in SOURCES if each.name == asked["source"])
    folder = Path(asked["folder"]).absolute() / source.name
    dataset = Dataset.model_validate(
        {
            "name": f"generated-{source.name.lower()}",
            "title": f"Generated, like MovieLens {source.name}",
            "size": "large",
            "reader": source.reader,
            "users": source.shape.users,
            "items": source.shape.items,
            "interactions": source.shape.interactions,
            "folder": source.name,
            "files": {source.file: None},
            "local": str(folder),
        }
    )
    works: dict[str, Callable[[], dict[str, Any]]] = {
        "prepare": lambda: _prepare(dataset, folder / source.file),
        "pandas": lambda: _pandas(source, folder / source.file),
        "load": lambda: _load(dataset),
        "open": lambda: _open_often(dataset),
    }
    load = os.getloadavg()[0]
    started, spent = time.perf_counter(), time.process_time()
    found = works[asked["work"]]()
    found |= {
        "wall": time.perf_counter() - started,
        "processor": time.process_time() - spent,
        "peak": peak_resident() / 2**20,
        "load": load,
    }
    print(json.dumps(found))


def _prepare(dataset: Dataset, path: Path) -> dict[str, Any]:
    from engine.datasets.load import prepare

    own = prepare(dataset, path).interactions
    assert len(own.items) == dataset.interactions
    return {}


def _pandas(source: Source, path: Path) -> dict[str, Any]:
    import pandas as pd

    frame = pd.read_csv(path, **source.naive)
    user, at = frame.columns[0], frame.columns[3]
    frame = frame.sort_values([user, at], kind="stable")
    assert len(frame) == source.shape.interactions
    return {}


def _load(dataset: Dataset) -> dict[str, Any]:
    from engine.datasets.load import load_interactions

    load_interactions(dataset)
    return {}


def _open_often(dataset: Dataset) -> dict[str, Any]:
    from engine.datasets.load import open_data

    times = []
    for _ in range(OPENINGS):
        started = time.perf_counter()
        opened = open_data(dataset)
        assert opened.interactions.items[-1] > 0
        times.append(1000 * (time.perf_counter() - started))
    return {"times": times}


if __name__ == "__main__":
    run(main)
