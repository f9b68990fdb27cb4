"""Columns of the comparison that no table has: SQL that computes them of ``runs r``."""

from __future__ import annotations

from engine.metrics import SELECTION
from engine.store.costs.runs import joules_until, seconds_until

QUALITY_SHARE = 0.95
"""The share of the best `SELECTION` that is the quality of the columns of costs to quality: every
run that trains well passes it, and no single lucky epoch decides when."""


def _started(value: str) -> str:
    """Write SQL for a value of the ``start`` of a run's newest attempt, whose fields are JSON."""
    return (
        f"(SELECT {value} FROM events e WHERE e.run = r.id AND e.kind = 'start'"  # noqa: S608
        " AND json_valid(e.fields) AND json_extract(e.fields, '$.test_users') IS NOT NULL"
        " ORDER BY e.attempt DESC, e.seq DESC LIMIT 1)"
    )


def _field(name: str) -> str:
    return f"json_extract(e.fields, '$.{name}')"


_TARGETS = f"ifnull({_field('test_targets')}, {_field('test_users')})"
_CEILING = (
    f"ifnull({_field('test_ceiling')},"
    f" ({_TARGETS} - {_field('test_cold')}) * 1.0 / nullif({_TARGETS}, 0))"
)


def best_known(measure: str) -> str:
    """Write SQL for a table of the best value of a measure of validation that any run of the same
    data set, data and protocol reached in an epoch: ``best`` by ``dataset``, ``checksum`` and
    ``alike`` (`ALIKE`)."""
    return (
        "(SELECT dataset, checksum, alike,"  # noqa: S608
        " max(best) OVER (PARTITION BY dataset, checksum, protocol) AS best FROM"
        " (SELECT found.*, json_extract(s.spec, '$.protocol') AS protocol FROM"
        f" (SELECT r.dataset, r.checksum, {ALIKE} AS alike, min(r.id) AS run,"
        f" max(m.{measure}_max) AS best FROM runs r"
        " JOIN summaries m INDEXED BY summaries_max ON m.run = r.id GROUP BY 1, 2, 3) found"
        " JOIN specs s ON s.run = found.run))"
    )


ALIKE = "iif(r.origin = '', coalesce(r.settings, r.id), r.id)"
"""SQL for what runs of the same protocol have in common: their settings tell it, but for imported
ones."""


def level_of(measure: str, share: float) -> str:
    """Write SQL for a share of what `best_known` has of a run's data; NULL where nothing is."""
    return (
        f"(SELECT {share!r} * b.best FROM {best_known(measure)} b WHERE b.dataset = r.dataset"  # noqa: S608
        f" AND b.checksum IS r.checksum AND b.alike = {ALIKE})"
    )


_REACHED = (
    f"(SELECT min(q.epoch) FROM epochs q WHERE q.run = r.id"  # noqa: S608
    f" AND q.{SELECTION} >= {level_of(SELECTION, QUALITY_SHARE)})"
)

TO_QUALITY = {
    "seconds_to_quality": seconds_until(_REACHED),
    "joules_to_quality": joules_until(_REACHED),
}
"""Seconds and joules of training until validation first reached `QUALITY_SHARE` of the best; NULL
of a run that never did. A cell has them only if all its runs do: without those that never were as
good, its mean would flatter it."""

COMPUTED = {
    "test_users": _started(_field("test_users")),
    "test_cold_users": _started(f"ifnull({_field('test_cold_users')}, 0)"),
    "test_targets": _started(_TARGETS),
    "test_cold": _started(_field("test_cold")),
    "ceiling": _started(_CEILING),
    **TO_QUALITY,
}
"""SQL by the column's name: whom the metrics on test are of, as `engine.evaluated` reads it from
the same ``start``, and `TO_QUALITY`."""
