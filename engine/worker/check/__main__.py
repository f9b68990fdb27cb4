"""``python -m engine.worker.check < question``: examine a model or a run, a JSON line a verdict.

The question is ``spec``, a run of the model on a synthetic data set, or ``run``, the folder of a
finished run. A last line may have ``problem`` in place of a verdict.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.asking.modelcheck import OF_MODEL, OF_RUN, Verdict
from engine.errors import UserError
from engine.runfolder import RunFolder
from engine.spec import RunSpec


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a model's file prints is no answer
    question = json.load(sys.stdin)
    try:
        for verdict in _verdicts(question):
            answers.write(json.dumps(asdict(verdict)) + "\n")
            answers.flush()
    except UserError as error:
        answers.write(json.dumps({"problem": str(error)}) + "\n")
    except MemoryError:
        answers.write(json.dumps({"problem": "There is not enough memory free."}) + "\n")
    answers.flush()
    return 0


def _verdicts(question: Mapping[str, Any]) -> Iterator[Verdict]:
    # Not at the top: importing torch takes seconds, in which SIGINT must be ignored already.
    from engine.models.registry import definition_of
    from engine.worker.check.checks import examined
    from engine.worker.check.subject import model_subject, run_subject

    if "run" in question:
        subject = run_subject(RunFolder(Path(question["run"])))
    else:
        spec = RunSpec.model_validate(question["spec"])
        subject = model_subject(spec, definition_of(spec))
    for name in OF_RUN if "run" in question else OF_MODEL:
        yield examined(name, subject)


if __name__ == "__main__":
    sys.exit(main())
