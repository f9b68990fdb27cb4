"""Time and energy to a given quality: when a run's validation curve first passes it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from engine.analysis.columns.definitions import (
    ENERGY_TO_QUALITY,
    METRIC_NAMES,
    TIME_TO_QUALITY,
    Value,
)
from engine.analysis.comparison import COMPARABLE, Row
from engine.errors import UsageError, cut, did_you_mean
from engine.store.compare.comparison import runs_by_id
from engine.store.compare.computed import QUALITY_SHARE, level_of
from engine.store.costs.runs import NEVER, spent_to_reach
from engine.store.database import fetch

DEFAULT = f"ndcg@10={100 * QUALITY_SHARE:g}%"
"""The quality of the columns `TO_QUALITY`."""

_FORM = re.compile(r"(?P<name>[^=<>]+?)\s*>?=\s*(?P<value>\d*\.?\d+)\s*(?P<share>%?)")
_SPELLINGS = {"hitrate": "hit", "hr": "hit"}


@dataclass(frozen=True, slots=True)
class Quality:
    """A validation metric and the level to pass."""

    measure: str
    """The store's name, such as ``valid_ndcg``."""
    value: float
    share: bool
    """Whether ``value`` is a share of the best that any run of the same data set, data and protocol
    in the store reached."""

    @property
    def title(self) -> str:
        """Such as ``95 % of the best NDCG@10/valid``."""
        metric, _, masked = self.measure.removeprefix("valid_").partition("_")
        name = f"{METRIC_NAMES[metric]}/valid" + (" (seen masked)" if masked else "")
        if self.share:
            return f"{100 * self.value:g} % of the best {name} of its data set here"
        return f"{name} of {self.value:g}"


def parse_quality(text: str) -> Quality:
    """Read ``recall@10=.13``, or ``ndcg_masked=95%`` for a share of the best.

    Raises:
        UsageError: it is neither.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"{cut(text, 40)!r} isn't a quality: write recall@10=.13, or ndcg@10=95% for a share "
            "of the best."
        )
    words = found["name"].lower().replace("@10", "").replace("/valid", "")
    name = words.replace("(seen masked)", "_masked").replace(" ", "").replace("__", "_")
    metric, underscore, ranking = name.partition("_")
    metric = _SPELLINGS.get(metric, metric)
    if metric not in METRIC_NAMES or (underscore and ranking != "masked"):
        known = [name for metric in METRIC_NAMES for name in (metric, f"{metric}_masked")]
        hint = did_you_mean(name, known)
        raise UsageError(f"there is no metric {cut(found['name'], 30)!r}: {hint}")
    value = float(found["value"]) / (100 if found["share"] else 1)
    if not 0 < value <= 1:
        raise UsageError("a quality is above 0, and at most 1 or 100%.")
    return Quality(f"valid_{metric}{underscore}{ranking}", value, bool(found["share"]))


def levels_among(
    con: sqlite3.Connection, rows: Sequence[Row], quality: Quality
) -> dict[tuple[Value, ...], float]:
    """Return the level to pass by the values of `COMPARABLE`, of runs with the metric: a share is
    of the best among these runs, so that no other run in the store changes it."""
    if not quality.share:
        return {_group(row): quality.value for row in rows}
    best = dict(
        runs_by_id(con, ["id", f"{quality.measure}_max"], [str(row["run"]) for row in rows])
    )
    found: dict[tuple[Value, ...], float] = {}
    for row in rows:
        if (reached := best.get(row["run"])) is not None:
            group = _group(row)
            found[group] = max(found.get(group, 0.0), quality.value * reached)
    return found


def _levels(con: sqlite3.Connection, rows: Sequence[Row], quality: Quality) -> dict[str, float]:
    """Return the level to pass by run; none of runs of whose data no run has the metric."""
    ids = [str(row["run"]) for row in rows]
    if not quality.share:
        return dict.fromkeys(ids, quality.value)
    found = fetch(
        con,
        f"SELECT r.id, {level_of(quality.measure, quality.value)} FROM json_each(?) wanted"  # noqa: S608
        " CROSS JOIN runs r ON r.id = wanted.value",
        (json.dumps(ids),),
    )
    return {run: level for run, level in map(tuple, found) if level is not None}


def with_costs_to_quality(
    con: sqlite3.Connection, rows: Sequence[Row], quality: Quality
) -> list[Row]:
    """Add to rows of `compare_rows` the columns `TO_QUALITY`: what training to the quality took,
    in seconds and joules.

    They come after the other measures, and are ``None`` for a run that never reached the quality.
    """
    reached = spent_to_reach(con, quality.measure, _levels(con, rows, quality))
    found: list[Row] = []
    for row in rows:
        wider: Row = {}
        for name, value in row.items():
            if name == "aggregate":
                spent = reached.get(str(row["run"]), NEVER)
                wider[TIME_TO_QUALITY] = spent.seconds
                wider[ENERGY_TO_QUALITY] = spent.joules
            wider[name] = value
        found.append(wider)
    return found


def _group(row: Row) -> tuple[Value, ...]:
    return tuple(row[name] for name in COMPARABLE)
