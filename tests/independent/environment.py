"""The tables of what runs ran on, and of their data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from .facts import Facts, unknown_heads
from .page import Part
from .runs import Run
from .texts import differs

Row = dict[str, str]


FACTS: dict[str, Callable[[Run], object]] = {
    "device": lambda run: run.start.get("device"),
    "numbers of the model's layers": lambda run: run.start.get("dtype"),
    "threads": lambda run: run.start.get("threads"),
    "seqbench": lambda run: run.start.get("code"),
    "PyTorch": lambda run: run.start.get("torch"),
    "Python": lambda run: run.start.get("python"),
    "protocol": lambda run: run.spec.get("protocol", 1),
}


def ran_on(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    name, value = row["#"].split("›")
    counts = Counter(str(FACTS[name](run)) for run in facts.done)
    yield from differs(
        f"runs with {value}", row["runs"], counts[value.replace(",", "")] or counts[value]
    )


def _of_data(row: Row, facts: Facts) -> list[Run]:
    """The runs on the data of a row."""
    return [
        run
        for run in facts.done
        if run.place[1] == row["data set"]
        and run.start["checksum"].startswith(row["checksum"])
        and row["split"].startswith(run.spec["source"]["split"]["kind"])
        and ("refits" in run.spec) == ("trained on validation too" in row["split"])
    ]


def data(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    of = _of_data(row, facts)
    yield from differs("runs", row["runs"], len(of))
    for part_of, key in (("validation", "valid_from"), ("test", "test_from")):
        if moment := re.search(rf"\b{part_of} from ([^,]+)", row["split"]):
            for run in of:
                if moment[1] != (own := str(run.start.get(key))):
                    yield f"{part_of} of {run.id} is from {own}"
    heads = {"users": "users", "items": "items", "interactions": "interactions"}
    heads["trained on"] = "train_interactions"
    for head, key in heads.items():
        for run in of:
            yield from differs(head, row[head], run.start.get(key))
    for run in of:
        kept = {k: v for k, v in run.spec["source"]["filter"].items() if v not in (None, 0, "keep")}
        if row["filter"] != (" ".join(f"{k}={v}" for k, v in kept.items()) or "none"):
            yield f"the filter of {run.id} is {kept}"
    yield from unknown_heads(row, {"data set", "checksum", "split", "filter", "runs", *heads})


def evaluated(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    split = {"validation": "valid", "test": "test"}[row[""]]
    for run in _of_data(row, facts):
        users = run.start.get(f"{split}_users")
        ranked = run.start.get(f"{split}_targets", users)
        yield from differs("users evaluated", row["users evaluated"], users)
        yield from differs("items ranked", row["items ranked"], ranked)
        new = run.start.get(f"{split}_cold_users")
        if row["not in training"] != "not recorded" or new is not None:
            yield from differs("not in training", row["not in training"], new)
        for head, key in (("cold items", "cold"), ("decided by a tie", "tied")):
            count, _, share = row[head].partition(" (")
            found = run.start.get(f"{split}_{key}")
            if count == "no times" and found is None:
                continue
            yield from differs(head, count, found)
            if found is not None:
                yield from differs(f"share of {head}", share.rstrip(" %)"), 100 * found / ranked)
        if split == "test" and run.ranks.shape[1] != ranked:
            yield f"{run.id} has ranks of {run.ranks.shape[1]} items"
        if split == "test" and len(set(run.users.tolist())) != users:
            yield f"{run.id} has ranks of {len(set(run.users.tolist()))} users"
