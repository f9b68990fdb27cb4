"""The tables of other cut-offs, of parts of the targets, and of what is recommended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from .data import Data
from .facts import Facts, UnsureError
from .page import Part
from .runs import Run, by_user, per_user
from .texts import spread_differs

Row = dict[str, str]
HEAD = re.compile(r"(\w+)@(\d+)(?: \((?:(\w+) targets)?(?:, )?(seen masked)?\))?")
MEASURES = ("Coverage", "ARP", "Novelty", "Gini")
FAMILIES = (
    *(tuple(f"{m}@{k}" for k in (1, 5, 20, 50, 100)) for m in ("NDCG", "Recall", "MRR")),
    tuple(
        f"{metric}@10 ({part} targets)"
        for metric in ("NDCG", "Recall")
        for part in ("warm", "head", "mid", "tail")
    ),
    *(tuple(f"{m}@{k}" for k in (1, 5, 10, 20, 50, 100)) for m in MEASURES),
)
"""The columns of each table, over all items."""


def beyond(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    """A cell's results besides metrics at 10 of all targets."""
    cells = facts.group(part.place)
    cell = facts.cell(row["cell"], cells)
    shown = [head for head in row if head != "cell"]
    wanted = next((family for family in FAMILIES if _over_all(shown[0]) in family), ())
    for head in shown:
        if _over_all(head) not in wanted or ("seen masked" in head) != facts.masked:
            raise UnsureError(f"a column that isn't known: {head}")
        yield from spread_differs(head, row[head], [_value(run, head, facts) for run in cell.runs])
    runs = [run for each in cells for run in each.runs]
    for head in set(wanted) - {_over_all(head) for head in shown}:
        if any(_value(run, head, facts) is not None for run in runs):
            yield f"{head} isn't shown, and runs have it"
    if shown[0].startswith("Gini"):
        for run in filter(lambda run: run.has_lists, cell.runs):
            yield from _lists_differ(run, facts)


def _over_all(head: str) -> str:
    return head.replace(", seen masked", "").replace(" (seen masked)", "")


def _value(run: Run, head: str, facts: Facts) -> float | None:
    """Recompute a result of a run; None if it has none."""
    metric, k, part, _ = HEAD.fullmatch(head).groups()  # type: ignore[union-attr]
    if metric in ("NDCG", "Recall", "MRR"):
        values = per_user(run.ranks[int(facts.masked)], metric.lower(), int(k))
        if part is None:
            return float(by_user(values, run.users).mean())
        if not run.has_lists and not run.completed:
            return None  # of an earlier version: what it knows of its data isn't known either
        belongs = _data(run, facts).belongs(part)
        some = by_user(values[belongs], run.users[belongs])
        return float(some.mean()) if some.size else None
    if run.completed:
        raise UnsureError(f"the lists of {run.id} aren't kept")
    return _of_lists(run, metric, int(k), facts) if run.has_lists else None


def _of_lists(run: Run, measure: str, k: int, facts: Facts) -> float:
    top = run.top(masked=facts.masked)[:, :k]
    items = run.start["items"]
    if measure == "Coverage":
        return len(set(top.ravel().tolist()) - {0}) / items
    if measure == "Gini":
        return _gini([int((top == item).sum()) for item in range(1, items + 1)])
    data = _data(run, facts)
    of_items = {"ARP": data.interactions, "Novelty": data.rarity}[measure]
    listed = pd.DataFrame(top).melt(ignore_index=False)["value"]
    means = listed[listed > 0].map(of_items).groupby(level=0).mean()
    return float(means.reindex(range(len(top)), fill_value=0).mean())


def _gini(times: Sequence[int]) -> float:
    """Half the mean difference of every two, as a share of their mean."""
    values = np.array(times, float)
    return float(np.abs(values[:, None] - values).mean() / (2 * values.mean()))


def _data(run: Run, facts: Facts) -> Data:
    """The data of a run, which must be what the run says of it."""
    data = facts.data_of(run)
    if data is None:
        raise UnsureError(f"the data of {run.id} can't be read")
    own = {"train_interactions": len(data.train), "test_targets": len(data.test)}
    own |= {"items": data.items}
    told = {name: run.start[name] for name in own if name in run.start}  # older runs tell fewer
    if own | told != own:
        raise UnsureError(f"the data of {run.id} is other data: {own}, not {told}")
    return data


def _lists_differ(run: Run, facts: Facts) -> Iterator[str]:
    """Hold lists against ranks: what is ranked among the first is listed no later."""
    data = _data(run, facts)
    if not np.array_equal(pd.factorize(run.users)[0], pd.factorize(data.test["user"])[0]):
        yield f"{run.id} has ranks of other users"
        return
    last = data.test.groupby("user").tail(1)
    whose = np.flatnonzero(data.test.index.isin(last.index))
    ranks, top = run.ranks[int(facts.masked)][whose], run.top(masked=facts.masked)
    for rank, item, listed in zip(ranks, last["item"], top, strict=True):
        if rank <= len(listed) and item not in listed[:rank]:
            yield f"{run.id} ranks an item {rank}, but doesn't list it there"
            return
