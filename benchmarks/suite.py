"""``make bench-suite ARGS="--before FOLDER"``: the wall time of a suite of short runs, from
``seqbench run`` to its return, by this version and by turns with that of another checkout.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from benchmarks.common import run as run_main
from benchmarks.common import table

HERE = Path(__file__).parents[1]
SUITE = (
    *("run", "--model", "sasrec,bert4rec,xlstm", "--dataset", "synthetic"),
    *("--length", "20", "--seed", "1-4", "--set", "epochs=2", "--wait"),
)
"""12 runs, of which training takes the least time."""


def seconds(checkout: Path, words: tuple[str, ...]) -> float:
    """Wall time of a command of a checkout's seqbench, with a store and a cache of its own.

    Raises:
        CalledProcessError: it fails.
    """
    with tempfile.TemporaryDirectory(prefix="seqbench-suite-") as made:
        own = {"DB": "runs.db", "CACHE": "cache", "CONFIG": "configs"}
        paths = {f"SEQBENCH_{name}": f"{made}/{path}" for name, path in own.items()}
        Path(made, "configs").mkdir()
        Path(made, "configs", "settings.yaml").write_text("niceness: 0\nidle_seconds: 0\n")
        environment = os.environ | paths | {"PYTHONPATH": str(checkout)}
        command = [sys.executable, "-P", "-m", "tui.cli", *words]
        started = time.perf_counter()
        subprocess.run(command, cwd=made, env=environment, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suite", description=__doc__)
    parser.add_argument("--before", type=Path, help="a checkout of another version")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    sides = {"this version": HERE}
    if options.before is not None:
        sides["before"] = options.before.resolve()
    found: defaultdict[str, list[float]] = defaultdict(list)
    for turn in range(options.turns):
        # The other one first, next time: a machine gets slower as it gets warmer.
        for name, checkout in list(sides.items())[:: -1 if turn % 2 else 1]:
            found[name].append(seconds(checkout, SUITE))
            print(f"{name}: {found[name][-1]:.1f} s", file=sys.stderr, flush=True)
    middle = {name: median(each) for name, each in found.items()}
    rows = [
        (name, f"{value:.1f}", f"{value / middle['this version']:.2f}")
        for name, value in middle.items()
    ]
    print(table(["12 runs", "s", "×"], rows))


if __name__ == "__main__":
    run_main(main)
