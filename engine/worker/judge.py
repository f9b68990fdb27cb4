"""``python -m engine.worker.judge``: judge a data set.

Reads a data set, a length and stored ranks as JSON from stdin, as `engine.judge.ask` writes them.
Prints JSON objects, a line each: ``done`` and ``total`` while it fits models, at last ``judgement``
or ``problem``. Writes no file but a prepared copy of the data, and the judgement that is kept.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from engine.datasets.confirm import confirm
from engine.datasets.load import open_data
from engine.datasets.splitting.splits import split_data
from engine.errors import DataError, UserError
from engine.judge.ask import StoredFit
from engine.judge.judgement import to_json
from engine.judge.kept import judgement_key, keep
from engine.spec import Dataset


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    try:
        answer: dict[str, Any] = {"judgement": _judged(json.loads(sys.stdin.read()))}
    except UserError as error:
        answer = {"problem": str(error)}
    except MemoryError:
        answer = {"problem": "There is not enough memory free to judge the data set."}
    _say(answer)
    return 0


def _judged(question: dict[str, Any]) -> dict[str, Any]:
    # Not at the top: importing torch takes seconds, in which SIGINT must be ignored already.
    from engine.judge.fitting import judge

    dataset, length = Dataset.model_validate(question["dataset"]), question["length"]
    stored = {name: StoredFit(*each) for name, each in question["stored"].items()}
    own = open_data(dataset, check=True).interactions
    if (copy := confirm(dataset)) is not None and not copy.usable:
        raise DataError(copy.sentence)
    found = judge(split_data(own, dataset), length, stored, _tell)
    keep(judgement_key(own, dataset, length), found)
    return to_json(found)


def _tell(done: int, total: int | None) -> None:
    _say({"done": done, "total": total})


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
