"""``python -m engine.worker.recommend RUN_FOLDER --user 196``: print a run's recommendations.

Prints one JSON object: ``users``, each with history, true next item and top items as ids and
titles, or ``problem``. Writes no file but a prepared copy of the data.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from engine.datasets.titles import id_text, item_titles
from engine.errors import DataError, UserError
from engine.runfolder import RunFolder


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.worker.recommend")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--user", help="an id of the source; else tested users, by --first")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--top", type=int, default=10)
    parser.add_argument("--mask-seen", action="store_true")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    try:
        with redirect_stdout(sys.stderr):  # what a model's file prints is no answer
            answer = _recommendations(arguments)
    except UserError as error:
        answer = {"problem": str(error)}
    except MemoryError:
        answer = {"problem": "There is not enough memory free to load the run's model."}
    except Exception as error:  # noqa: BLE001 -- whatever a module of the user's raises
        answer = {"problem": _sentence_of(error)}
    print(json.dumps(answer), flush=True)  # noqa: T201
    return 0


def _sentence_of(error: Exception) -> str:
    from engine.models.load import sentence_of  # see below

    return sentence_of(error)


def _recommendations(arguments: argparse.Namespace) -> dict[str, Any]:
    # Not at the top: importing torch takes seconds, in which SIGINT must be ignored already.
    from engine.training.ranking.recommend import predict
    from engine.worker.trained import open_trained

    opened = open_trained(RunFolder(arguments.folder))
    spec, data, split, model = opened.spec, opened.data, opened.split, opened.model
    titles = item_titles(spec.source, data.item_ids)

    def item(number: int) -> dict[str, Any]:
        return {"id": id_text(data.item_ids[number - 1].item()), "title": titles.get(number, "")}

    tested = split.test.evaluated
    if arguments.user is not None:
        users = [_number_of(arguments.user, data.user_ids, spec.dataset)]
    else:
        first = arguments.first % max(1, len(tested))
        users = tested[first : first + arguments.count].tolist()
    found = []
    for user in users:
        one = predict(model, split, user, arguments.top, mask_seen=arguments.mask_seen)
        found.append(
            asdict(one)
            | {
                "user": id_text(data.user_ids[user].item()),
                "history": [item(number) for number in one.history],
                "true": None if one.true is None else item(one.true),
                "top": [
                    item(number) | {"score": score, "seen": seen, "true": number == one.true}
                    for number, score, seen in one.top
                ],
            }
        )
    return {"dataset": spec.dataset, "tested": len(tested), "users": found}


def _number_of(text: str, ids: Any, dataset: str) -> int:
    """Return the number of the user whose id in the source is ``text``. Raises `DataError`."""
    wanted: Any = None
    if ids.dtype.kind == "S":
        wanted = text.encode()
    elif text.isascii() and text.isdigit() and len(text) <= 18:
        wanted = int(text)
    found = np.flatnonzero(ids == wanted) if wanted is not None else np.zeros(0, np.int64)
    if not len(found):
        some = ", ".join(id_text(each) for each in ids[:3].tolist())
        raise DataError(f"{dataset} has no user {text[:60]!r}: its users are named as {some}, ….")
    return int(found[0])


if __name__ == "__main__":
    sys.exit(main())
