"""What a report says of duels: their looks, and what they come to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .facts import Facts, unknown_heads
from .page import Part
from .runs import Run, by_user, per_user
from .texts import differs, number

Match = re.Match[str]
Row = dict[str, str]
SPENT = 0.04


@dataclass(frozen=True)
class Duel:
    """Two models' NDCG@10 of each user, (seeds, users), of the seeds that both have."""

    name: str
    models: tuple[str, str]
    values: tuple[np.ndarray, np.ndarray]
    first: int
    most: int

    def parts(self, seeds: int) -> list[tuple[float, int]]:
        """The variances of the difference after some seeds, each with its degrees of freedom: of
        users alone, and of both models' means over users."""
        a, b = (values[:seeds] for values in self.values)
        users = a.shape[1]
        paired = np.var(a.mean(0) - b.mean(0), ddof=1) / users
        rest = sum(_remainder(values) / (seeds * users) for values in (a, b))
        own = [(float(np.var(each.mean(1), ddof=1)) / seeds, seeds - 1) for each in (a, b)]
        return [(max(0.0, float(paired) - rest), users - 1), *own]

    def later(self, seeds: int) -> list[tuple[float, int]]:
        """The same after the last seed, if they stay as they are after some."""
        users, *own = self.parts(seeds)
        return [users, *((each * seeds / self.most, self.most - 1) for each, _ in own)]

    def difference(self, seeds: int) -> float:
        a, b = (float(values[:seeds].mean()) for values in self.values)
        return a - b


def _remainder(values: np.ndarray) -> float:
    """The mean square of what neither seed nor user explains."""
    seeds, users = values.shape
    whole = values.var() * values.size
    by_seed = values.mean(1).var() * values.size
    by_one = values.mean(0).var() * values.size
    return float(whole - by_seed - by_one) / ((seeds - 1) * (users - 1))


def _half(parts: list[tuple[float, int]], level: float) -> float:
    return float(np.sqrt(sum(each * stats.t.isf(level / 2, dof) ** 2 for each, dof in parts)))


def _spent(levels: list[float], first: int, most: int) -> float:
    """The probability that independent seeds cross one of some levels, on one side."""
    seeds = np.arange(first, first + len(levels))
    bounds = stats.norm.isf(np.array(levels) / 2)
    if len(levels) == 1:
        return float(stats.norm.sf(bounds[0]))
    alike = np.sqrt(np.minimum.outer(seeds, seeds) / np.maximum.outer(seeds, seeds))
    return 1 - float(stats.multivariate_normal(cov=alike, seed=1, abseps=1e-5).cdf(bounds))


def _duel(place: str, facts: Facts) -> Duel:
    found = re.fullmatch(r"(\S+) against (\S+): (\S+)", place)
    assert found is not None, place
    one, other, name = found.groups()
    study = next(
        run.spec["trial"]["study"]
        for run in facts.trials
        if run.spec["trial"]["study"]["name"] == name
    )
    own: list[dict[int, Run]] = []
    for model in (one, other):
        runs = [run for run in facts.runs if run.place[0] == model and _chose(run, name)]
        own.append({run.spec["seed"]: run for run in runs if run.state == "done"})
    seeds = sorted(own[0].keys() & own[1].keys())[: study["duel"]]
    a, b = (np.stack([_values(runs[seed]) for seed in seeds]) for runs in own)
    return Duel(name, (one, other), (a, b), study["final_seeds"], study["duel"])


def _chose(run: Run, name: str) -> bool:
    chosen = run.spec.get("chosen_by")
    return isinstance(chosen, dict) and chosen["study"] == name


def _values(run: Run) -> np.ndarray:
    return by_user(per_user(run.ranks[0], "ndcg"), run.users)


def look(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    duel = _duel(part.place, facts)
    seeds = int(row["seeds each"])
    for model, values in zip(duel.models, duel.values, strict=True):
        yield from differs(model, row[model], float(values[:seeds].mean()))
    yield from differs("difference", row["difference"], duel.difference(seeds))
    head, *rows = part.rows
    column = head.index("level")
    levels = [number(each[column]) for each in rows if int(each[0]) <= seeds]
    if len(levels) != seeds - duel.first + 1:
        yield "a look is missing"
    # A level is shown with few digits: they add up to what may be spent about as closely.
    due = SPENT / 2 * (seeds / duel.most) ** 3
    if abs(_spent(levels, duel.first, duel.most) - due) > 0.00006 + 0.002 * due:
        yield f"the levels spend {_spent(levels, duel.first, duel.most):.5f}, not {due:.5f}"
    half = _half(duel.parts(seeds), levels[-1])
    slack = 0.5 * half * 5e-5 / levels[-1]  # as the level is shown with few digits
    for what, end in (("low", -half), ("high", half)):
        yield from differs(what, row[what], duel.difference(seeds) + end, slack)
    decides = number(row["low"]) > 0 or number(row["high"]) < 0
    if row["decides"] != ("yes" if decides else "no"):
        yield "it decides" if decides else "it doesn't decide"
    known = {"seeds each", *duel.models, "difference", "low", "high", "level", "decides"}
    yield from unknown_heads(row, known)


def duel_untold(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    found = re.fullmatch(r"(\S+) against (\S+): (\S+)", part.place)
    assert found is not None, part.place
    if m.group("first", "second") != found.groups()[:2]:
        yield f"it is of {found.groups()[:2]}"
    runs = [run for run in facts.done if _chose(run, found[3])]
    own = {run.place[0] for run in runs if run.still_improving}
    if own != set(m["improving"].split(" and ")):
        yield f"still improving were {sorted(own)}"


def duel_verdict(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    duel = _duel(part.place, facts)
    seeds = int(m["seeds"])
    yield from differs("most", m["most"], duel.most)
    turned = m["first"] != duel.models[0]
    if {m["first"], m["second"]} != {*duel.models} or (turned and not m["won"]):
        yield f"it is of {duel.models}"
    values = duel.values[::-1] if turned else duel.values
    for what, shown in (("first", 0), ("second", 1)):
        mean = float(values[shown][:seeds].mean())
        yield from differs(f"mean of {m[what]}", m["mean_a" if shown == 0 else "mean_b"], mean)
    difference = duel.difference(seeds) * (-1 if turned else 1)
    yield from differs("difference", m["mean"], difference)
    low, high = number(m["low"]), number(m["high"])
    if abs((low + high) / 2 - difference) > 1.1e-4:
        yield "the difference isn't in the middle of its interval"
    if bool(m["won"]) != (low > 0):
        yield "the interval says something else"
    if seeds != duel.first and not m["won"] and seeds != len(duel.values[0]):
        yield f"it has {len(duel.values[0])} seeds"
    if m["smallest"] or m["chance"]:
        level = _last_level(duel)
    if m["smallest"]:
        wanted = _half(duel.later(seeds), level) + _half(duel.later(seeds), 0.4)
        yield from differs("smallest", m["smallest"], wanted, 0.002 * wanted)
    if m["chance"]:
        _, *own = duel.parts(seeds)
        spread = np.sqrt(sum(each for each, _ in own) * (1 - seeds / duel.most))
        bound = _half(duel.later(seeds), level)
        sides = (abs(difference), -abs(difference))
        chance = sum(stats.t.sf((bound - each) / spread, seeds - 1) for each in sides)
        yield from differs("chance", m["chance"], 100 * float(chance), 0.5)


def _last_level(duel: Duel) -> float:
    """The last look's level, found one look after another."""
    levels: list[float] = []
    for seeds in range(duel.first, duel.most + 1):
        due = SPENT / 2 * (seeds / duel.most) ** 3
        low, high = 1e-6, 0.05
        for _ in range(14):
            middle = (low * high) ** 0.5
            spends = _spent([*levels, middle], duel.first, duel.most)
            low, high = (low, middle) if spends > due else (middle, high)
        levels.append(high)
    return levels[-1]
