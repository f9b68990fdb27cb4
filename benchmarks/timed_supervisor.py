"""``python -m benchmarks.timed_supervisor --db PATH …``: the supervisor, which says how long its
rounds take.

Into ``rounds.jsonl`` beside the store goes a line of JSON for every round: ``t`` (wall time at its
end) and ``seconds``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from unittest.mock import patch

from engine.store.database import StoreConnection
from engine.store.location import StoreLocation
from engine.supervisor.__main__ import main
from engine.supervisor.queue import Queue


def rounds_file(location: StoreLocation) -> Path:
    return location.db.with_name("rounds.jsonl")


def supervise(arguments: list[str]) -> int:
    location = StoreLocation(Path(arguments[arguments.index("--db") + 1]))
    tick = Queue.tick
    with rounds_file(location).open("a") as file:

        def timed(queue: Queue, connection: StoreConnection) -> None:
            began = time.monotonic()
            tick(queue, connection)
            line = {"t": time.time(), "seconds": time.monotonic() - began}
            print(json.dumps(line), file=file, flush=True)

        with patch.object(Queue, "tick", timed):
            return main(arguments)


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[1:]))
