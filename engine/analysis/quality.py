"""Time and energy to a given quality: when a run's validation curve first passes it."""

from __future__ import annotations

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
from engine.store.runcosts import NEVER, spent_to_reach

DEFAULT = "ndcg@10=95%"
"""Early stopping looks at this metric too, and every run that trains well passes this level."""

_FORM = re.compile(r"(?P<name>[^=<>]+?)\s*>?=\s*(?P<value>\d*\.?\d+)\s*(?P<share>%?)")
_SPELLINGS = {"hitrate": "hit", "hr": "hit"}


@dataclass(frozen=True, slots=True)
class Quality:
    """A validation metric and the level to pass."""

    measure: str
    """The store's name, such as ``valid_ndcg``."""
    value: float
    share: bool
    """Whether ``value`` is a share of the best that any of the runs of a data set reached."""

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


def levels(
    con: sqlite3.Connection, rows: Sequence[Row], quality: Quality
) -> dict[tuple[Value, ...], float]:
    """Return the level to pass, by the values of `COMPARABLE`, of runs with the metric."""
    if not quality.share:
        return {_group(row): quality.value for row in rows}
    ids = [str(row["run"]) for row in rows]
    best = dict(runs_by_id(con, ["id", f"{quality.measure}_max"], ids))
    found: dict[tuple[Value, ...], float] = {}
    for row in rows:
        if (reached := best.get(row["run"])) is not None:
            group = _group(row)
            found[group] = max(found.get(group, 0.0), quality.value * reached)
    return found


def with_costs_to_quality(
    con: sqlite3.Connection, rows: Sequence[Row], quality: Quality
) -> list[Row]:
    """Add to rows of `compare_rows` the columns `TIME_TO_QUALITY` and `ENERGY_TO_QUALITY`: what
    training to the quality took, in seconds and joules.

    They come after the other measures, and are ``None`` for a run that never reached the quality.
    """
    passed = levels(con, rows, quality)
    wanted = {str(row["run"]): passed[_group(row)] for row in rows if _group(row) in passed}
    reached = spent_to_reach(con, quality.measure, wanted)
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
