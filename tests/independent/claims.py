"""What a report concludes of models: what must be true of each sentence that says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from .facts import Facts, UnsureError
from .figures import LEVEL, Cell
from .page import Part
from .rules import titles, under
from .texts import DIFFERENCE, LABEL, N, differs, number, p_differs

Match = re.Match[str]
WINNERS = "Does the winner change with the protocol?"
BETWEEN = r"(?:, | and )"


def figure_and_interval(
    what: str, cell: Cell, facts: Facts, m: tuple[str, str, str]
) -> Iterator[str]:
    mean, low, high = m
    yield from differs(what, mean, facts.mean(cell))
    yield from interval_differs(what, cell, facts, low, high)


def interval_differs(what: str, cell: Cell, facts: Facts, low: str, high: str) -> Iterator[str]:
    """Check an interval over users."""
    own_low, own_high = facts.interval(cell)
    yield from differs(f"lower end of {what}", low, own_low)
    yield from differs(f"upper end of {what}", high, own_high)


def difference_differs(what: str, m: Match, found: object, p: float | None) -> Iterator[str]:
    for name in ("mean", "low", "high"):
        yield from differs(f"{name} of {what}", m[name], getattr(found, name))
    yield from p_differs(what, m["p"], p)


def _listed_figures(text: str, cells: list[Cell], facts: Facts) -> Iterator[str]:
    """Such as ``a 0.1 [0.0, 0.2], b and c 0.1 [0.0, 0.2] each``."""
    pattern = (
        rf"((?:{LABEL}{BETWEEN})*{LABEL}) (?:({N})|(?:has|have) no hit among ([\d,]+) users) "
        rf"\[({N}), ({N})\](?: each)?"
    )
    seen: list[str] = []
    for names, mean, users, low, high in re.findall(pattern, text):
        for label in re.findall(LABEL, names):
            seen.append(label)
            cell = facts.cell(label, cells)
            yield from figure_and_interval(label, cell, facts, (mean or "0.0000", low, high))
            if users:
                yield from differs("users", users, facts.users(cell).shape[1])
    missing = {cell.label for cell in cells} - set(seen)
    if missing:
        yield f"no figure of {', '.join(sorted(missing))}"
    means = [facts.mean(facts.cell(label, cells)) for label in seen]
    if means != sorted(means, reverse=True):
        yield "the figures aren't in order"


def _beaten(of: str, text: str, cells: list[Cell], facts: Facts) -> Iterator[str]:
    """``above b (+0.1 [+0.0, +0.2], p = .037) and c (...)``, of a model."""
    tests = facts.of_models(cells)
    for m in re.finditer(rf"(?P<label>{LABEL}) \({DIFFERENCE}\)", text):
        found, p = tests[of, facts.cell(m["label"], cells).label]
        yield from difference_differs(f"{of} to {m['label']}", m, found, p)
        if p is None or p >= LEVEL or found.mean <= 0:
            yield f"{of} is not shown to be above {m['label']}"


def is_best(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.contenders(facts.group(m["title"]))
    best = facts.cell(m["label"], cells)
    yield from figure_and_interval(m["label"], best, facts, (m["own"], m["from"], m["to"]))
    yield from _beaten(m["label"], m["others"], cells, facts)
    others = {cell.label for cell in cells if cell is not best}
    if others - set(re.findall(LABEL, m["others"])):
        yield f"{m['label']} isn't set beside every other model"


def none_best(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.contenders(facts.group(m["title"]))
    yield from _listed_figures(m["figures"], cells, facts)
    tests = facts.of_models(cells)
    for cell in cells:
        others = [other for other in cells if other is not cell]
        found = [tests[cell.label, other.label] for other in others]
        if all(p is not None and p < LEVEL and each.mean > 0 for each, p in found):
            yield f"{cell.label} is shown to be best"
    told = set()
    for of, text in re.findall(
        rf"({LABEL}) is shown to be above (.*?)(?:;|\.$|$)", m["shown"] or ""
    ):
        yield from _beaten(of, text, cells, facts)
        told |= {(of, label) for label in re.findall(LABEL, text)}
    shown = {
        both for both, (each, p) in tests.items() if p is not None and p < LEVEL and each.mean > 0
    }
    for of, against in shown ^ told:
        yield f"{of} above {against}: {'not told' if (of, against) in shown else 'not shown'}"


def alone(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.contenders(facts.group(m["title"]))
    if len(cells) != 1:
        yield f"there are {len(cells)} models"
    yield from _listed_figures(f"{m['label']} {m['rest']}", cells, facts)


def untold(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.contenders(facts.group(m["title"]))
    if any(p is not None for _, p in facts.of_models(cells).values()):
        yield "some models may be compared"
    yield from _reason(m["why"], cells)
    yield from _listed_figures(m["figures"], cells, facts)


def _reason(text: str, cells: list[Cell]) -> Iterator[str]:
    """Why nothing may be told: one seed, unfinished training, other data."""
    for label in set(re.findall(LABEL, text)) - {cell.label for cell in cells}:
        yield f"no cell is called {label!r}"
    named = [cell for cell in cells if cell.label in text] or cells
    reasons = {
        "one seed": any(len(cell.runs) < 2 for cell in named),
        "still improving": any(run.still_improving for cell in named for run in cell.runs),
        "marked": any(not cell.tellable for cell in named),
    }
    if not any(word in text for word in reasons):
        raise UnsureError(f"a reason that isn't known: {text}")
    for word, holds in reasons.items():
        if word in text and not holds:
            yield f"{word} is not so"


def why(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    yield from _reason(m["why"], facts.cells)
    if not m["count"]:
        return
    groups = [facts.cells]
    if part.section == WINNERS:  # it is of the cells under one of the rules
        groups = [[each.cell for each in under(title, facts)] for title in titles(facts)]
    elif part.section == "In short":  # of the models of a data set
        of = dict.fromkeys(cell.group for cell in facts.cells)
        groups = [
            facts.contenders([cell for cell in facts.cells if cell.group == each]) for each in of
        ]
    counts = [
        sum(any(run.still_improving for run in cell.runs) for cell in cells) for cells in groups
    ]
    if int(number(m["count"])) not in counts:
        yield f"cells: {m['count']}, but it is {' or '.join(map(str, counts))}"


def family_of_models(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    for count, title in re.findall(r"([\d,]+) on ([^,]+?)(?=, \d| and \d|\.?$)", m["numbers"]):
        cells = facts.contenders(facts.group(title))
        told = [p for _, p in facts.of_models(cells).values() if p is not None]
        yield from differs(f"comparisons on {title}", count, len(told) / 2)


def family_of_cells(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    told = [p for _, p in facts.of_cells.values() if p is not None]
    yield from differs("comparisons", "1" if m["count"] == "one" else m["count"], len(told) / 2)


def pairs_listed(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    group = facts.group(part.above)[0].group
    own = [found for (_, _, of), found in facts.of_cells.items() if of == group]
    shown = sum(
        p is not None and p < LEVEL and each.low * each.high > 0 for each, p in own
    )  # each pair is there twice
    yield from differs("pairs", m["all"], len(own) / 2)
    yield from differs("pairs that show a difference", m["apart"], shown / 2)


def families_of_costs(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.group(part.place)
    told = [p for _, p in facts.of_models(facts.contenders(cells)).values() if p is not None]
    counts = {"two models": len(told) / 2, "costs": len(list(facts.costs(cells))) / 2}
    for count, what in re.findall(r"([\d,]+|one) comparisons? of (two models|costs)", m[0]):
        yield from differs(f"comparisons of {what}", "1" if count == "one" else count, counts[what])


def refits(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    found = sum(cell.refit for cell in facts.group(m["title"]))
    if found != int(m["count"]):
        yield f"{found} cells are refits, not {m['count']}"


def few_users(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """The widest interval of a data set's cells is told."""
    users = int(number(m["users"]))
    halves = [
        (high - low) / 2
        for cell in facts.cells
        if facts.users(cell).shape[1] == users
        for low, high in [facts.interval(cell)]
    ]
    yield from differs("half the interval", m["half"], max(halves, default=None))


def floor(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    yield from _floor_differs(m["value"], facts, facts.group(part.place)[0].group)


def floors(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    group = facts.group(m["title"])[0].group
    yield from _floor_differs(m["value"], facts, group)
    signs = list(facts.signs(group).values())
    yield from differs("the trained cells", m["all"] or "1", len(signs))
    sign = {"can't": "≈", "lies": "▽", "lie": "▽"}.get(m["what"].split()[0], "")
    yield from differs("those", m["count"] or "1", signs.count(sign))
    trained = [cell for cell in facts.cells if cell.group == group and not cell.fitted]
    lone = sum(len(cell.runs) == 1 for cell in trained)
    improving = sum(any(run.still_improving for run in cell.runs) for cell in trained)
    for said, number_of, count in (("alone", "lone", lone), ("cut", "improving", improving)):
        told = str(len(trained)) if m[number_of] == "all" else m[number_of]
        yield from differs(f"those that are {number_of}", told or str(int(bool(m[said]))), count)
    if sign == "≈":
        yield from differs("those below", m["below"] or "0", signs.count("▽"))
    elif "≈" in signs or (not sign and "▽" in signs):
        yield "others are no better than the floor"


def no_trained(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """A data set has a floor, and no trained cell."""
    group = facts.group(m["title"])[0].group
    yield from _floor_differs(m["value"], facts, group)
    if facts.signs(group):
        yield "there are trained cells"


def _floor_differs(shown: str, facts: Facts, group: tuple[Any, ...]) -> Iterator[str]:
    floor = facts.floor(group)
    values = [run.chosen["test_ndcg"] for run in floor.runs] if floor else [None]
    yield from differs("the floor", shown, values[0] and float(np.mean(values)))
