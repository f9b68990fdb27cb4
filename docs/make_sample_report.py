"""Write the sample report from a store of real runs: ``python docs/make_sample_report.py --db
runs.db``, as Markdown with its plots and as one HTML file."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

SAMPLE = Path(__file__).parent / "sample"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--suite", help="a suite's name")
    parser.add_argument("--where", default="", help="a filter, as docs/queries.md has it")
    arguments = parser.parse_args()
    choice = ["--where", arguments.where, "--db", str(arguments.db)]
    if arguments.suite:
        choice += ["--suite", arguments.suite]
    shutil.rmtree(SAMPLE, ignore_errors=True)
    SAMPLE.mkdir()
    for name in ("report.md", "report.html"):
        command = [sys.executable, "-m", "tui.cli", "report", *choice, "-o", str(SAMPLE / name)]
        subprocess.run(command, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
