"""``python -m benchmarks.sampled_supervisor --db PATH …``: the supervisor, which says what it does.

Into ``rounds.jsonl`` beside the store goes a line of JSON for every round: ``t`` (wall time at its
end), ``seconds``, and ``samples``, how often a look at the main thread every 10 ms found it at each
of `PARTS`, since the line before. The time between two rounds counts as ``idle``.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from unittest.mock import patch

from engine.scheduling.queue import Queue
from engine.scheduling.supervisor import main
from engine.store.database import StoreConnection
from engine.store.location import StoreLocation

SAMPLE_SECONDS = 0.01

PARTS = {
    "_free_slots": "looks for free slots",
    "Queue._start_queued": "starts queued runs",
    "save_unsaved": "writes meta.json",
    "read_journal": "reads journals",
    "_offset": "asks how far a journal was read",
    "_rows": "turns lines into rows",
    "write": "begins and commits transactions",
    "refresh": "brings rows of runs up to date",
    "summarise": "summarises epochs",
    "_insert": "inserts rows",
    "Queue._note_job": "notes what Slurm says",
    "Queue._gone": "ends attempts",
    "live_attempts": "lists live attempts",
    "Queue._follow": "the rest of following a run",
    "Queue.tick": "the rest of a round",
    "_work": "idle",
}
"""Functions by their qualified names; the first of these that is on the stack counts."""


def rounds_file(location: StoreLocation) -> Path:
    return location.db.with_name("rounds.jsonl")


def supervise(arguments: list[str]) -> int:
    location = StoreLocation(Path(arguments[arguments.index("--db") + 1]))
    samples: Counter[str] = Counter()
    tick = Queue.tick

    def sample(_: int, frame: FrameType | None) -> None:
        stack = set()
        while frame is not None:
            stack.add(frame.f_code.co_qualname)
            frame = frame.f_back
        samples[next((name for part, name in PARTS.items() if part in stack), "else")] += 1

    with rounds_file(location).open("a") as file:

        def timed(queue: Queue, connection: StoreConnection) -> None:
            began = time.monotonic()
            tick(queue, connection)
            seconds = time.monotonic() - began
            line = {"t": time.time(), "seconds": seconds, "samples": dict(samples)}
            samples.clear()
            print(json.dumps(line), file=file, flush=True)

        signal.signal(signal.SIGALRM, sample)
        signal.setitimer(signal.ITIMER_REAL, SAMPLE_SECONDS, SAMPLE_SECONDS)
        with patch.object(Queue, "tick", timed):
            return main(arguments)


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[1:]))
