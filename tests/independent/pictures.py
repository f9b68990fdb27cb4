"""What the descriptions of a report's pictures say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from .facts import Facts, compared, metric_of
from .figures import Cell
from .page import Part
from .texts import LABEL, differs

Match = re.Match[str]


def quality_picture(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.group(m["title"])
    means = [facts.mean(cell) for cell in cells]
    yield from differs("cells", m["cells"], len(cells))
    yield from differs("users", m["users"], facts.users(cells[0]).shape[1])
    yield from differs("smallest", m["least"], min(means))
    yield from differs("largest", m["most"] or m["least"], max(means))


def curves_picture(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    # What is fitted has no curve over epochs, and a refit none of validation.
    cells = [cell for cell in facts.group(m["title"]) if not (cell.fitted or cell.refit)]
    runs = [run for cell in cells for run in cell.runs]
    told = 0
    for count, model, words in re.findall(r"([\d,]+) of ([\w.-]+)(.*?)(?=, | and |$)", m["runs"]):
        of_model = [cell for cell in cells if cell.model[0] == model]
        named = [cell for cell in of_model if cell.differs == words.strip()]
        named = named or [cell for cell in of_model if cell.has(words)]
        own = sum(len(cell.runs) for cell in named)
        yield from differs(f"runs of {model}{words}", count, own)
        told += own
    yield from differs("runs in all", str(told), len(runs))
    lengths = {cell.runs[0].place[2] for cell in cells}
    if {int(each) for each in re.findall(r"\d+", m["lengths"])} != lengths:
        yield f"the lengths are {sorted(lengths)}"
    metric, masked = metric_of(m["name"])
    chosen = [run.chosen[f"valid_{metric}{'_masked' if masked else ''}"] for run in runs]
    yield from differs("smallest", m["least"], min(chosen))
    yield from differs("largest", m["most"] or m["least"], max(chosen))


def pareto_picture(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = compared(facts.group(m["title"]))
    yield from differs("cells", m["cells"], len(cells))
    fronts = m["fronts"].split("; ")
    yield from differs("costs", m["costs"], len(fronts))
    for front in fronts:
        name, _, told = front.partition(": ")
        lacking = re.search(r" \(([\d,]+) without it\)$", told)
        absent = sum(None in [run.cost(name) for run in cell.runs] for cell in cells)
        yield from differs(f"cells without {name}", lacking[1] if lacking else "0", absent)
        labels = set(re.findall(LABEL, told))
        if labels != (own := _front(cells, name, facts)):
            yield f"on the front of {name} are {', '.join(sorted(own))}"


def _front(cells: list[Cell], name: str, facts: Facts) -> set[str]:
    """The cells that no other one is as good as at the same cost or less, by means."""
    better = -1 if name.startswith("Users/s") else 1
    points = []
    for cell in cells:
        costs = [run.cost(name) for run in cell.runs]
        left_out = name != "Parameters" and any(run.disturbed for run in cell.runs)
        if None not in costs and not left_out:
            points.append((better * float(np.mean(costs)), facts.mean(cell), cell.label))
    return {
        label
        for cost, mean, label in points
        if not any(c <= cost and q >= mean and (c, q) != (cost, mean) for c, q, _ in points)
    }
