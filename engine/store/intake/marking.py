"""Marking runs in the store by what their attempts recorded (`engine.marks`). All of it is done
inside the write transaction of the caller."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from engine.marks import (
    BUSY,
    CHANGED_DATA,
    OF_DATA,
    OF_TRAINING,
    OTHER_COPY,
    STILL_IMPROVING,
    UNDISTURBED_SHARE,
    in_order,
    marks_of,
)
from engine.store.database import StoreConnection
from engine.store.schema import TELEMETRY_MEASURES


def mark_device(connection: StoreConnection, run: str, telemetry: Iterable[Sequence[Any]]) -> None:
    """Mark a run by rows of its GPU's telemetry, as the table has them. The marks of earlier rows
    stay, as the times compared are of the whole run."""
    samples = ((row[_OTHERS], row[_THROTTLE]) for row in telemetry)
    if (found := marks_of(samples)) is not None:
        _put(connection, run, found, undisturbed=True)


def mark_data(connection: StoreConnection, run: str) -> None:
    """Mark a run by the data of its attempts since one last trained from the start."""
    found = zip((OTHER_COPY, CHANGED_DATA), connection.rows(_DATA, {"run": run})[0], strict=True)
    _put(connection, run, [mark for mark, given in found if given], instead_of=OF_DATA)


def mark_training(connection: StoreConnection, run: str) -> None:
    """Mark a run that is done if its best epoch is the last one that its limit allowed; a fitted
    model's isn't, whose epochs are all that there are, nor a refit, whose last epoch was chosen
    before, nor a trial of a study, whose limit is the study's."""
    unfinished = connection.row(_UNFINISHED, {"run": run}) is not None
    _put(connection, run, [STILL_IMPROVING] if unfinished else [], instead_of=OF_TRAINING)


def mark_processor(connection: StoreConnection, run: str) -> None:
    """Mark a run that is done if it had too little of the processor, in training or while its speed
    was measured.

    If it had enough, and the kernel tells so of all its epochs, a run on a CPU has no marks where
    it would else have unknown ones.
    """
    row = connection.row(_HAD, {"run": run})
    if row is None:
        return
    on_cpu, training, untold, speed = row
    shares = [share for share in (training, speed) if share is not None]
    busy = any(share < UNDISTURBED_SHARE for share in shares)
    undisturbed = bool(on_cpu and shares and not untold)
    _put(connection, run, [BUSY] if busy else [], instead_of={BUSY}, undisturbed=undisturbed)


def _put(
    connection: StoreConnection,
    run: str,
    found: Iterable[str],
    *,
    instead_of: Collection[str] = (),
    undisturbed: bool = False,
) -> None:
    """Add marks to a run, in the place of its marks of a kind.

    Args:
        undisturbed: whether it is known that nothing else disturbed the run: then it has the empty
            text if it has no mark, else NULL, unless it had the empty text already.
    """
    row = connection.row("SELECT marks FROM runs WHERE id = ?", (run,))
    before = row[0] if row else None
    kept = (mark for mark in str(before or "").split() if mark not in instead_of)
    known = undisturbed or before == ""
    after = " ".join(in_order([*kept, *found])) or ("" if known else None)
    if after != before:
        connection.execute("UPDATE runs SET marks = ? WHERE id = ?", (after, run))


_OTHERS, _THROTTLE = (4 + TELEMETRY_MEASURES.index(name) for name in ("gpu_others", "gpu_throttle"))
"""Columns of a row of telemetry, which begins with run, attempt, seq and t."""

# Whether an attempt had another copy of the data than the known one, and whether one went on from a
# checkpoint of other data, which versions did that didn't keep its checksum.
_DATA = """
SELECT ifnull(max(confirmed = 0), 0), count(DISTINCT checksum) > 1 FROM attempts
WHERE run = :run AND resumed_epoch IS NOT NULL AND attempt >= (
    SELECT ifnull(max(attempt), 0) FROM attempts WHERE run = :run AND resumed_epoch = 0)
"""

# Patience can't be used up then: no epoch came after the best one.
_UNFINISHED = """
SELECT 1 FROM runs WHERE id = :run AND state = 'done' AND origin = '' AND best_epoch = epochs
AND refits IS NULL AND study IS NULL
AND NOT EXISTS (SELECT 1 FROM epochs WHERE run = runs.id AND settings IS NOT NULL)
"""

_HAD = """
SELECT a.device_kind = 'cpu',
    (SELECT sum(cpu_seconds) / sum(cpu_seconds + cpu_wait_seconds) FROM epochs
        WHERE run = r.id AND cpu_seconds + cpu_wait_seconds IS NOT NULL),
    (SELECT count(*) > count(cpu_seconds + cpu_wait_seconds) FROM epochs WHERE run = r.id),
    a.speed_cpu_share
FROM runs r JOIN attempts a ON a.run = r.id AND a.attempt = r.attempt
WHERE r.id = :run AND r.state = 'done'
"""
"""Whether a done run was on a CPU, its share of the processor in training, whether
that of any epoch isn't told, and its share while its speed was measured."""
