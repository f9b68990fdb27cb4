"""``python -m engine.worker.evaluate < question``: evaluate finished runs without training.

The question is ``runs``: of each its ``folder``, and the ``rule`` that its model is to be ranked
under, with ``kind`` and ``targets`` (`engine.datasets.splitting.otherrule.asked_rule`); or without
a rule, for what it lacks of its own results, ``no_model``: why its model may not be loaded, empty
if it may. Prints a JSON object a run: ``rule``, whose evaluation is then in the run's folder; or
``lacks``, why it has only a part of its results then, or nothing; or ``problem``. Writes nothing
else but a prepared copy of the data.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.runfolder import RunFolder


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a model's file prints is no answer
    question = json.load(sys.stdin)
    for asked in question["runs"]:
        answers.write(json.dumps(_answer(RunFolder(Path(asked["folder"])), asked)) + "\n")
        answers.flush()
    return 0


def _answer(folder: RunFolder, asked: dict[str, Any]) -> dict[str, str]:
    # Not at the top: importing torch takes seconds, in which SIGINT must be ignored already.
    from engine.models.load import sentence_of
    from engine.worker.evaluate.otherrule import evaluate
    from engine.worker.evaluate.ownresults import complete

    try:
        if rule := asked.get("rule"):
            return {"rule": evaluate(folder, rule["kind"], rule["targets"])}
        return {"lacks": complete(folder, asked["no_model"])}
    except UserError as error:
        return {"problem": str(error)}
    except MemoryError:
        return {"problem": "there is not enough memory free to rank all targets."}
    except OSError as error:
        return {"problem": f"{error.filename or folder.path} can't be written: {error.strerror}."}
    except Exception as error:  # noqa: BLE001 -- whatever a module of the user's raises
        return {"problem": sentence_of(error)}


if __name__ == "__main__":
    sys.exit(main())
