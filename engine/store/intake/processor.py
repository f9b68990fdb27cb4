"""Marking runs that had too little of the processor (`engine.marks`)."""

from __future__ import annotations

from engine.marks import BUSY, UNDISTURBED_SHARE, in_order
from engine.store.database import StoreConnection


def mark_processor(connection: StoreConnection, run: str) -> None:
    """Mark a run that is done if it had too little of the processor, in training or while its speed
    was measured (inside a write transaction).

    If it had enough, and the kernel tells so of all its epochs, a run on a CPU has no marks where
    it would else have unknown ones.
    """
    row = connection.row(_HAD, {"run": run})
    if row is None:
        return
    before, on_cpu, training, untold, speed = row
    shares = [share for share in (training, speed) if share is not None]
    others = [mark for mark in str(before or "").split() if mark != BUSY]
    if any(share < UNDISTURBED_SHARE for share in shares):
        after: str | None = " ".join(in_order([*others, BUSY]))
    elif others:
        after = " ".join(others)
    elif before == "" or (on_cpu and shares and not untold):
        after = ""
    else:
        after = None
    if after != before:
        connection.execute("UPDATE runs SET marks = ? WHERE id = ?", (after, run))


_HAD = """
SELECT r.marks, a.device_kind = 'cpu',
    (SELECT sum(cpu_seconds) / sum(cpu_seconds + cpu_wait_seconds) FROM epochs
        WHERE run = r.id AND cpu_seconds + cpu_wait_seconds IS NOT NULL),
    (SELECT count(*) > count(cpu_seconds + cpu_wait_seconds) FROM epochs WHERE run = r.id),
    a.speed_cpu_share
FROM runs r JOIN attempts a ON a.run = r.id AND a.attempt = r.attempt
WHERE r.id = :run AND r.state = 'done'
"""
"""A done run's marks, whether it was on a CPU, its share of the processor in training, whether
that of any epoch isn't told, and its share while its speed was measured."""
