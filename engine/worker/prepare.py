"""``python -m engine.worker.prepare RUN_FOLDER``: prepare a run's data set.

Writes the prepared copy to the cache, for the runs that train on it afterwards. If that fails,
prints one sentence on stdout; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from engine.datasets.load import load_interactions
from engine.errors import UserError
from engine.files.regular import OWNER_ONLY
from engine.runfolder import RunFolder
from engine.specfile import load_spec


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.worker.prepare")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    os.umask(OWNER_ONLY)
    try:
        load_interactions(load_spec(RunFolder(arguments.folder.resolve())).source)
    except UserError as error:
        print(error)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
