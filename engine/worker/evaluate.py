"""``python -m engine.worker.evaluate < question``: rank finished runs' models under another rule.

The question is ``runs``, folders of finished runs; ``kind`` and ``targets``, the rule that is asked
for (`engine.datasets.otherrule.asked_rule`). Prints a JSON object a run: ``rule``, whose evaluation
is then in the run's folder, or ``problem``. Writes nothing else but a prepared copy of the data.
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
    for path in question["runs"]:
        answers.write(json.dumps(_answer(RunFolder(Path(path)), question)) + "\n")
        answers.flush()
    return 0


def _answer(folder: RunFolder, question: dict[str, Any]) -> dict[str, str]:
    # Not at the top: importing torch takes seconds, in which SIGINT must be ignored already.
    from engine.models.load import sentence_of
    from engine.worker.otherrule import evaluate

    try:
        return {"rule": evaluate(folder, question["kind"], question["targets"])}
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
