"""Rankings of the store's cells: under the rule of each run, and under those that runs were
evaluated under (`seqbench evaluate`)."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis.pairs.cells import RankedCell, pairs
from engine.analysis.pairs.significance import Metric
from engine.analysis.protocols.rankings import DIGITS, Placed, Protocols, Ranking
from engine.analysis.protocols.words import rule_title
from engine.analysis.refits import is_refit, without_refits
from engine.results.evaluations import read_evaluation_ranks
from engine.spec import TOP_K
from engine.spec.identity import identity
from engine.store import queries, series
from engine.store.evaluations import evaluations_of
from engine.store.location import StoreLocation


@dataclass(frozen=True)
class Measured:
    """What a ranking asks of a metric."""

    metric: Metric
    masked: bool = False
    k: int = TOP_K


@dataclass(frozen=True)
class _Under:
    """A cell under a rule; those of one ranking are alike but in ``key`` and ``cell``."""

    interactions: str
    key: str
    cell: RankedCell
    split: Mapping[str, Any]
    evaluated: bool
    own: str
    """The split of its runs."""


def protocols(
    con: sqlite3.Connection, location: StoreLocation, cells: Sequence[RankedCell], wanted: Measured
) -> tuple[list[Protocols], list[str]]:
    """Rank cells under every rule that they were measured under, by interactions.

    Args:
        cells: with the ranks of their own rule; refits are left out unless all are
            (`engine.analysis.refits`).

    Returns:
        Interactions with two rules or more, and a sentence for each evaluation that can't be read.
    """
    compared = without_refits(cells, lambda cell: is_refit(cell.runs[0]))
    newest = {str(cell.runs[-1]["run"]): cell for cell in compared}
    specs = queries.specs_of(con, list(newest))
    starts = series.starts(con, list(newest))
    kept = evaluations_of(con, [str(run["run"]) for cell in cells for run in cell.runs])
    problems: list[str] = []
    found: list[_Under] = []
    for run, cell in newest.items():
        spec = specs.get(run) or {}
        if not spec:
            continue
        own, key = _interactions(spec, starts.get(run, {})), _model(spec)
        split = spec["source"].get("split") or {}
        under = str(cell.comparable[2])
        found.append(_Under(own, key, cell, split, evaluated=False, own=under))
        others = _evaluated(location, cell, kept, problems)
        found += [replace(other, interactions=own, key=key) for other in others]
    return [
        Protocols(rankings)
        for some in _grouped(found, lambda each: each.interactions)
        if (rankings := _rankings(some, wanted))
    ], problems


def _interactions(spec: Mapping[str, Any], start: Mapping[str, Any]) -> str:
    """What is equal for runs on the same interactions, however they are split."""
    source = identity(spec)["source"]
    told = ("name", "split", "users", "items", "interactions")
    read = {name: value for name, value in source.items() if name not in told}
    found = {name: start.get(name) for name in ("ids", "users", "items", "interactions")}
    return json.dumps([read, found], sort_keys=True)


def _model(spec: Mapping[str, Any]) -> str:
    """What is equal for runs of the same model, recipe, settings and length on whatever data."""
    own = identity(spec)
    told = ("source", "protocol")
    kept = {name: own[name] for name in own if name not in told}
    return json.dumps([spec.get("profile"), kept], sort_keys=True)


def _evaluated(
    location: StoreLocation,
    cell: RankedCell,
    kept: Mapping[str, Mapping[str, Mapping[str, Any]]],
    problems: list[str],
) -> Iterator[_Under]:
    """Read a cell's evaluations under other rules, of those of its runs that have them."""
    ids = [str(run["run"]) for run in cell.runs]
    for rule in sorted({rule for run in ids for rule in kept.get(run, {})}):
        runs, ranks, owners = [], [], []
        for row in cell.runs:
            run = str(row["run"])
            if rule not in kept.get(run, {}):
                continue
            try:
                some, users = read_evaluation_ranks(location.folder(run), rule)
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                problems.append(f"{run} is left out under {rule}: its ranks can't be read ({why}).")
                continue
            runs.append((row, kept[run][rule]))
            ranks.append(some)
            owners.append(users)
        alike = [place for place in range(len(runs)) if _same(place, runs, owners)]
        if alike:
            content = runs[0][1]
            comparable = (
                cell.comparable[0], content["protocol"], f"{cell.comparable[2]} as {rule}",
                content["checksum"],
            )  # fmt: skip
            of_rule = replace(
                cell,
                comparable=comparable,
                runs=tuple(runs[place][0] for place in alike),
                ranks=np.stack([ranks[place] for place in alike]),
                owners=owners[0],
            )
            own = str(cell.comparable[2])
            yield _Under("", "", of_rule, content["split"], evaluated=True, own=own)


def _same(
    place: int,
    runs: Sequence[tuple[Any, Mapping[str, Any]]],
    owners: Sequence[NDArray[np.int32] | None],
) -> bool:
    """Whether an evaluation is of the same data and targets as the first one."""
    first, own = owners[0], owners[place]
    users = (first is None) == (own is None) and (
        first is None or own is None or np.array_equal(first, own)
    )
    told = ("checksum", "protocol", "counts")
    return users and all(runs[place][1][name] == runs[0][1][name] for name in told)


def _rankings(found: Sequence[_Under], wanted: Measured) -> tuple[Ranking, ...]:
    """Rank the cells of the same interactions under each rule, the runs' own rules first; nothing
    if there is but one rule."""
    groups = _grouped(_apart(found), lambda each: each.cell.comparable)
    if len(groups) < 2:
        return ()
    groups.sort(key=lambda some: (some[0].evaluated, str(some[0].cell.comparable)))
    titles = _titles([some[0] for some in groups])
    labels = _labels(groups)
    named = [
        [replace(each, cell=replace(each.cell, label=labels[each.key])) for each in some]
        for some in groups
    ]
    return tuple(_ranking(some, title, wanted) for some, title in zip(named, titles, strict=True))


def _labels(groups: Sequence[Sequence[_Under]]) -> dict[str, str]:
    """Call cells the same under every rule, by key: as on the first data set that has them, which
    is named too where other cells are called the same."""
    of: dict[str, tuple[str, str]] = {}
    for each in (each for some in groups for each in some):
        of.setdefault(each.key, (each.cell.label, each.cell.cell.dataset))
    names = [label for label, _ in of.values()]
    return {
        key: f"{label} on {dataset}" if names.count(label) > 1 else label
        for key, (label, dataset) in of.items()
    }


def _apart(found: Sequence[_Under]) -> list[_Under]:
    """Give cells keys of their own that are called alike under one rule, such as those whose data
    set's entry was written otherwise: none of them is the one to compare with another rule."""
    alike = Counter((each.key, each.cell.comparable) for each in found)
    return [
        replace(each, key=f"{each.key} {each.cell.cell.name}")
        if alike[each.key, each.cell.comparable] > 1
        else each
        for each in found
    ]


def _ranking(some: Sequence[_Under], title: str, wanted: Measured) -> Ranking:
    metric, masked, k = wanted.metric, wanted.masked, wanted.k
    values = [float(each.cell.values(metric, masked=masked, k=k).mean()) for each in some]
    rounded = [round(value, DIGITS) for value in values]
    order = sorted(range(len(some)), key=lambda row: (-rounded[row], some[row].cell.label))
    placed = tuple(
        Placed(
            some[row].key,
            some[row].cell,
            values[row],
            1 + sum(other > rounded[row] for other in rounded),
        )
        for row in order
    )
    tested = pairs([each.cell for each in placed], metric, masked=masked, k=k)
    own = some[0]
    return Ranking(
        str(own.cell.comparable[0]), title, own.split, own.evaluated, placed, tuple(tested)
    )


def _titles(groups: Sequence[_Under]) -> list[str]:
    """Name the rules of the same interactions; with the data set, the protocol and the checksum
    where less names two of them alike."""
    titles = [
        f"{rule_title(each.split)} (evaluated)" if each.evaluated else rule_title(each.split)
        for each in groups
    ]
    for place in range(_MORE):
        doubled = {title for title in titles if titles.count(title) > 1}
        titles = [
            f"{title}, {_more(each)[place]}" if title in doubled else title
            for title, each in zip(titles, groups, strict=True)
        ]
    return titles


def _more(each: _Under) -> tuple[str, ...]:
    """Return what tells rankings apart that rules don't, `_MORE` texts."""
    dataset, protocol, _, checksum = each.cell.comparable
    return (
        f"on {dataset}", f"protocol {protocol}", f"of runs under {each.own}",
        f"data {str(checksum)[:12]}",
    )  # fmt: skip


_MORE = 4


def _grouped(found: Sequence[_Under], key: Any) -> list[list[_Under]]:
    groups: dict[Any, list[_Under]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    return list(groups.values())
