"""Cells under several rules of targets: their order, who is first, and how far rules agree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from .facts import Facts, UnsureError, compared, unknown_heads
from .figures import LEVEL, Cell, holm, test
from .page import Part
from .runs import Run, by_user, per_user
from .texts import NOTHING, differs, number

Row = dict[str, str]
Match = re.Match[str]
RULE = r"“[^”]+”"


@dataclass(frozen=True)
class Under:
    """A cell under a rule."""

    cell: Cell
    ranks: tuple[tuple[np.ndarray, np.ndarray], ...]
    """Of each seed that was ranked under it: ranks of targets, and their users."""
    facts: Facts

    @property
    def key(self) -> str:
        """What is equal for one model with the same settings, whatever the data."""
        told = ("seed", "variant", "dataset", "source", "protocol", "continues", "refits")
        spec = self.cell.runs[0].spec
        return json.dumps({k: v for k, v in spec.items() if k not in told}, sort_keys=True)

    @property
    def users(self) -> np.ndarray:
        """(seeds, users)"""
        metric, k = self.facts.metric, self.facts.k
        return np.stack([by_user(per_user(r, metric, k), users) for r, users in self.ranks])

    @property
    def mean(self) -> float:
        return float(self.users.mean())


def _split(run: Run) -> dict[str, Any]:
    return {"kind": "leave-one-out", "targets": "successive", **run.spec["source"].get("split", {})}


def _title(split: dict[str, Any]) -> str:
    if split["kind"] == "leave-one-out":
        return "leave-one-out"
    defaults = {"valid_share": 0.1, "test_share": 0.1}
    bounds = [
        f"{name}={split[name]}"
        for name in ("valid_share", "test_share", "valid_from", "test_from", "quantile")
        if split.get(name) not in (None, defaults.get(name))
    ]
    return f"{' '.join([split['kind'], *bounds])}, {split['targets']}"


def under(title: str, facts: Facts) -> list[Under]:
    """The cells that were ranked under a rule, the best first."""
    rule, evaluated = title.removesuffix(" (evaluated)"), title.endswith(" (evaluated)")
    found = []
    for cell in compared(facts.cells):
        own = _split(cell.runs[0])
        if not evaluated:
            if _title(own) == rule:
                some = [(run.ranks[int(facts.masked)], run.users) for run in cell.runs]
                found.append(Under(cell, tuple(some), facts))
            continue
        wanted = rule.rpartition(", ")[2]
        name = f"evaluation-{own['kind']}-{wanted}.npy"
        if _title(own | {"targets": wanted}) != rule:
            continue
        files = [run.folder / name for run in cell.runs]
        rows = [np.load(file, allow_pickle=False) for file in files if file.exists()]
        if rows:
            some = [(each[int(facts.masked)], each[2]) for each in rows]
            found.append(Under(cell, tuple(some), facts))
    if not found:
        raise UnsureError(f"no cells under {title!r}")
    return sorted(found, key=lambda each: (-round(each.mean, 12), each.cell.label))


def _verdicts(some: Sequence[Under]) -> dict[tuple[str, str], float | None]:
    """The sign of every difference that is shown, 0 of others, None of what can't be told."""
    both = list(combinations(some, 2))
    tests = [test(a.users, b.users) for a, b in both]
    told = [n for n, (a, b) in enumerate(both) if _tellable(a) and _tellable(b)]
    p = dict(zip(told, holm([tests[n].p for n in told]), strict=True))
    found: dict[tuple[str, str], float | None] = {}
    for n, (a, b) in enumerate(both):
        one = tests[n]
        sign = float(np.sign(one.mean)) if n in p and p[n] < LEVEL and one.low * one.high > 0 else 0
        found[a.key, b.key] = sign if n in p else None
        found[b.key, a.key] = -sign if n in p else None
    return found


def _tellable(each: Under) -> bool:
    seeds = len(each.ranks) > 1 or each.cell.fitted
    return seeds and each.cell.tellable


def _called(facts: Facts) -> dict[str, str]:
    """What cells are called, by key: as on the first data set that has them, which is named where
    another cell is called the same."""
    of: dict[str, tuple[str, str]] = {}
    every = [(title.endswith(" (evaluated)"), under(title, facts)) for title in titles(facts)]
    for _, some in sorted(every, key=lambda each: (each[0], each[1][0].cell.group[0])):
        for one in some:
            of.setdefault(one.key, (one.cell.label, one.cell.group[0]))
    labels = [label for label, _ in of.values()]
    return {
        key: f"{label} on {dataset}" if labels.count(label) > 1 else label
        for key, (label, dataset) in of.items()
    }


def _standing(some: Sequence[Under], facts: Facts) -> dict[str, set[str]]:
    """The others, by what the test says of the first against them."""
    verdicts, called = _verdicts(some), _called(facts)
    names: dict[str, set[str]] = {"above": set(), "not shown": set(), "untold": set()}
    for each in some[1:]:
        sign = verdicts[some[0].key, each.key]
        what = "untold" if sign is None else "above" if sign > 0 else "not shown"
        names[what].add(called[each.key])
    return names


def rule(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    """One rule: of whom, and who is first."""
    some = under(row["rule"], facts)
    users = some[0].ranks[0][1]
    yield from differs("targets", row["targets"], len(users))
    yield from differs("test users", row["test users"], len(np.unique(users)))
    yield from differs("cells", row["cells"], len(some))
    if row["data set"] != some[0].cell.group[0]:
        yield f"its data set is {some[0].cell.group[0]}"
    if row["first"] != (first := _called(facts)[some[0].key]):
        yield f"the first is {first}"
    (figure,) = (head for head in row if re.match(r"\w+@\d+/test", head))
    yield from differs(figure, row[figure], some[0].mean)
    told = {"not shown": "not shown to be above", "untold": "no conclusion about"}
    names = _standing(some, facts)
    expected = {what for what in told if names[what]}
    for what, words in told.items():
        found = re.search(rf"{words} ([^;]+)", row["is it shown?"])
        if (found is not None) != (what in expected):
            yield f"{what}: {sorted(names[what])}"
        elif found and found[1] != f"{len(names[what])} others":
            told_names = set(re.split(r", | and ", found[1]))
            if told_names != names[what]:
                yield f"{what}: {sorted(names[what])}"
    if len(some) > 1 and (row["is it shown?"] == "above all others") != (not expected):
        yield "it is" + (" not" if expected else "") + " shown to be above all others"
    yield from unknown_heads(
        row, {"rule", "data set", "targets", "test users", "cells", "first", figure, "is it shown?"}
    )


def places(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    """One cell: its metric under each rule, and the place."""
    for title, shown in row.items():
        if title == "cell":
            continue
        some = under(title, facts)
        keys = {key for key, label in _called(facts).items() if label == row["cell"]}
        own = [each for each in some if each.key in keys]
        if not own:
            if shown not in NOTHING:
                yield f"under {title} it has no ranks"
            continue
        value, _, place = shown.rstrip(")").partition(" (")
        yield from differs(title, value, own[0].mean)
        above = sum(round(each.mean, 12) > round(own[0].mean, 12) for each in some)
        yield from differs(f"place under {title}", place, 1 + above)


def agreement(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    """Two rules: Kendall's τ between them."""
    a, b = under(row["rule"], facts), under(row["and rule"], facts)
    common = sorted({each.key for each in a} & {each.key for each in b})
    yield from differs("cells", row["cells"], len(common))
    for side, head in ((a, "first"), (b, "first under the other")):
        first = next(each for each in side if each.key in common)
        if row[head] != (label := _called(facts)[first.key]):
            yield f"{head}: it is {label}"
    shown = row["Kendall's τ"]
    values = [
        [round(each.mean, 12) for key in common for each in side if each.key == key]
        for side in (a, b)
    ]
    if len(common) < 3:
        if shown != "fewer than 3 cells":
            yield "there are fewer than 3 cells"
        return
    tau = float(stats.kendalltau(*values).statistic)
    if np.isnan(tau):
        if shown != "a rule orders none":
            yield "there is no order"
    else:
        yield from differs("Kendall's τ", shown, tau)


def first_alike(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """The same cell is first under all rules of the table below."""
    firsts = _firsts(facts)
    yield from _common_differ(m["common"], facts)
    yield from _firsts_differ({m["label"]: set(firsts)}, firsts)
    count = {"both": 2}.get(m["count"]) or int(number(m["count"].removeprefix("all ")))
    yield from differs("rules", str(count), len(firsts))


def no_two(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """Fewer than two cells are under every rule."""
    every = [{each.key for each in under(title, facts)} for title in titles(facts)]
    ranked = [keys for keys in every if len(keys) > 1]
    if len(ranked) > 1 and len(set.intersection(*ranked)) > 1:
        yield "there are two"


def left_out(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """The rules under which a single cell was ranked."""
    told = set(re.findall(r"“([^”]+)”", m["rules"]))
    own = {title for title in titles(facts) if len(under(title, facts)) == 1}
    if own != told:
        yield f"they are {sorted(own)}"


def first_depends(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """Another cell is first under another rule."""
    told = {
        label: set(re.findall(r"“([^”]+)”", rules))
        for label, rules in re.findall(rf"([^;:]+?) under ((?:{RULE}(?:, | and )?)+)", m["which"])
    }
    told = {label.strip(): rules for label, rules in told.items()}
    yield from _common_differ(m["common"], facts)
    yield from _firsts_differ(told, _firsts(facts))
    if len(told) < 2:
        yield "it is the same one"


def _firsts_differ(told: dict[str, set[str]], firsts: dict[str, str]) -> Iterator[str]:
    own: dict[str, set[str]] = {}
    for title, label in firsts.items():
        own.setdefault(label, set()).add(title)
    if own != told:
        yield f"the first is {own}"


def titles(facts: Facts) -> list[str]:
    """All rules that there are: own ones, and those of evaluations."""
    found = []
    for cell in compared(facts.cells):
        own = _split(cell.runs[0])
        found.append(_title(own))
        for run in cell.runs:
            for file in run.folder.glob("evaluation-*.json"):
                content = json.loads(file.read_text())
                found.append(f"{_title(content['split'])} (evaluated)")
    return list(dict.fromkeys(found))


def _ordering(facts: Facts) -> tuple[dict[str, list[Under]], set[str]]:
    """The rules under which two cells or more were ranked, with these, and the keys of the cells
    that all of these have."""
    ranked = {title: some for title in titles(facts) if len(some := under(title, facts)) > 1}
    return ranked, set.intersection(*({each.key for each in some} for some in ranked.values()))


def _common_differ(shown: str | None, facts: Facts) -> Iterator[str]:
    ranked, common = _ordering(facts)
    several = any(len(some) > len(common) for some in ranked.values())
    yield from differs("cells under each rule", shown or "", len(common) if several else None)


def _firsts(facts: Facts) -> dict[str, str]:
    """The best of the cells that all rules have, by rule."""
    ranked, common = _ordering(facts)
    if len(common) < 2:
        raise UnsureError("no two cells are under all rules")
    called = _called(facts)
    return {
        title: next(called[each.key] for each in some if each.key in common)
        for title, some in ranked.items()
    }


def first_shown(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """Under which rules the first of the sentence before is shown to be above all others."""
    told = set(re.findall(r"“([^”]+)”", m["rules"])) if m["rules"] else set()
    ranked, common = _ordering(facts)
    own = set()
    for title, some in ranked.items():
        names = _standing(some, facts)
        if some[0].key in common and not names["not shown"] and not names["untold"]:
            own.add(title)
    if own != told:
        yield f"it is shown under {sorted(own)}"


def change_places(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """Two cells, each shown to be above the other under another rule; or no such two."""
    turned = set()
    for one, other in combinations(titles(facts), 2):
        a, b = under(one, facts), under(other, facts)
        labels = _called(facts)
        signs = _verdicts(b)
        for (above, below), sign in _verdicts(a).items():
            if sign and sign > 0 and (signs.get((above, below)) or 0) < 0:
                turned.add((labels[above], labels[below], one, other))
    if m["above"] is None:
        if turned:
            yield f"they are: {sorted(turned)}"
        return
    told = m["above"], m["below"], m["one"], m["other"]
    if told not in turned and (told[1], told[0], told[3], told[2]) not in turned:
        yield f"not these: {sorted(turned)}"
