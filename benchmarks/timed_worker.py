"""``python -m benchmarks.timed_worker RUN_FOLDER …``: a worker that ends at its first update.

The same as ``python -m engine.worker``, but that the moments of its start are written to
``moments.json`` in the run's folder, as wall time (seconds since the epoch).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

moments: dict[str, float] = {}


def main() -> int:
    import torch

    from engine.training.stepreport import StepReport
    from engine.worker.__main__ import main as work
    from engine.worker.attempt import run_attempt  # noqa: F401 -- the worker imports it late

    moments["imports"] = time.time()
    begin, add = StepReport.__init__, StepReport.add

    def note_epoch(report: StepReport, *arguments: Any) -> None:
        moments["set up"] = time.time()
        begin(report, *arguments)

    def note_update(report: StepReport, *arguments: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        add(report, *arguments)
        if "update" not in moments:
            moments["update"] = time.time()
            (Path(sys.argv[1]) / "moments.json").write_text(json.dumps(moments))
            os.kill(os.getpid(), signal.SIGTERM)

    StepReport.__init__ = note_epoch  # type: ignore[assignment, method-assign]
    StepReport.add = note_update  # type: ignore[assignment, method-assign]
    return work()


if __name__ == "__main__":
    sys.exit(main())
