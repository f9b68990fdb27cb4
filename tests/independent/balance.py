"""Pros and cons of models: what is told holds, and what is shown is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from .claims import difference_differs
from .facts import Cost, Facts, UnsureError
from .figures import LEVEL, Cell
from .page import Part
from .texts import DIFFERENCE, LABEL, NOTHING, N, differs

Row = dict[str, str]


SUBJECTS = {
    r"Training to the chosen epoch takes": "Training to the chosen epoch",
    r"Training per epoch takes": "Training per epoch",
    r"Energy to the chosen epoch is": "Energy to the chosen epoch",
    r"Energy per epoch is": "Energy per epoch",
    r"Peak GPU memory is": "Peak GPU memory",
    r"Peak memory of the process is": "Peak memory of the process",
    rf"Recommends for {N} users per second, at batch size 1": "Users/s at batch size 1",
    rf"Recommends for {N} users per second, at batch size 256": "Users/s at batch size 256",
}


def balance(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    """Pros and cons of a model: what is told holds, and what is shown is told."""
    cells = facts.contenders(facts.group(part.place))
    of = facts.cell(row["model"], cells)
    tests = facts.of_models(cells)
    costs = {(c.name, c.of, c.against): c for c in facts.costs(cells)}
    told: set[tuple[str, str, str]] = set()
    for side in ("pros", "cons"):
        for line in row[side].split("<br>"):
            if line in NOTHING or line == "None is shown.":
                continue
            if quality := re.match(
                rf"(\S+@\d+/test(?: \(seen masked\))?) of ({N}), (above|below) ", line
            ):
                yield from differs("its own", quality[2], facts.mean(of))
                sign = 1 if quality[3] == "above" else -1
                for m in re.finditer(rf"(?P<label>{LABEL}) \((?P<own>{N}): {DIFFERENCE}\)", line):
                    found, p = tests[of.label, facts.cell(m["label"], cells).label]
                    yield from difference_differs(f"quality to {m['label']}", m, found, p)
                    yield from differs(
                        m["label"], m["own"], facts.mean(facts.cell(m["label"], cells))
                    )
                    if p is None or p >= LEVEL or sign * found.mean <= 0:
                        yield f"the difference to {m['label']} is not shown"
                    told.add((side, "quality", m["label"]))
            elif m := re.match(rf"({N}) parameters[:;] (.*)", line):
                yield from differs("parameters", m[1], of.runs[0].parameters)
                for value, label, count in re.findall(
                    rf"({N}) times (?:that with )?({LABEL}) \(({N})\)", m[2]
                ):
                    other = facts.cell(label, cells).runs[0].parameters
                    yield from differs(label, count, other)
                    pair = sorted((of.runs[0].parameters, other))
                    yield from differs(f"ratio to {label}", value, pair[1] / pair[0])
                    if (of.runs[0].parameters < other) != (side == "pros"):
                        yield f"parameters stand on the wrong side of {label}"
            elif name := next((n for s, n in SUBJECTS.items() if re.match(s, line)), None):
                yield from _cost_line(line, name, side, of, cells, facts, costs, told)
            else:
                raise UnsureError(line)
    for (_, against), (found, p) in ((k, v) for k, v in tests.items() if k[0] == of.label):
        side = "pros" if found.mean > 0 else "cons"
        if p is not None and p < LEVEL and (side, "quality", against) not in told:
            yield f"the difference to {against} is shown, but not told"
    for cost in costs.values():
        if cost.of == of.label and cost.is_shown:
            good = (cost.value < 1) != cost.name.startswith("Users/s")
            if ("pros" if good else "cons", cost.name, cost.against) not in told:
                yield f"{cost.name} against {cost.against} is shown, but not told"
    yield from _open(row.get("open", "–"), of, cells, facts)


def _cost_line(
    line: str, name: str, side: str, of: Cell, cells: list[Cell], facts: Facts,
    costs: dict[tuple[str, str, str], Cost], told: set[tuple[str, str, str]],
) -> Iterator[str]:  # fmt: skip
    own = re.search(rf"(?:takes|is|for) ({N})", line)
    yield from differs(
        f"its {name}", own[1] if own else "", float(np.mean([run.cost(name) for run in of.runs]))
    )
    pattern = rf"({N}) \[({N}), ({N})\] times (?:that with )?({LABEL}) \(({N})(?: [\w/]+)?\)"
    for value, low, high, label, figure in re.findall(pattern, line):
        other = facts.cell(label, cells)
        yield from differs(label, figure, float(np.mean([run.cost(name) for run in other.runs])))
        cost = costs.get((name, of.label, label))
        if cost is None:
            yield f"{name} may not be compared with {label}"
            continue
        bounds = (cost.value, cost.low, cost.high)
        if cost.value < 1:
            bounds = (1 / cost.value, 1 / cost.high, 1 / cost.low)
        for what, shown, own_value in zip(
            ("ratio", "low", "high"), (value, low, high), bounds, strict=True
        ):
            yield from differs(f"{what} of {name} to {label}", shown, own_value)
        if not cost.is_shown:
            yield f"{name} against {label} is not shown"
        good = (cost.value < 1) != name.startswith("Users/s")
        if good != (side == "pros"):
            yield f"{name} stands on the wrong side of {label}"
        told.add((side, name, label))


def _open(text: str, of: Cell, cells: list[Cell], facts: Facts) -> Iterator[str]:
    tests = facts.of_models(cells)
    left = {b for (a, b), (_, p) in tests.items() if a == of.label and (p is None or p >= LEVEL)}
    for line in text.split("<br>"):
        if m := re.search(rf"against (?P<label>{LABEL}): {DIFFERENCE}: no difference shown", line):
            found, p = tests[of.label, facts.cell(m["label"], cells).label]
            yield from difference_differs(f"quality to {m['label']}", m, found, p)
            left.discard(m["label"])
            if p is None or p < LEVEL:
                yield f"the difference to {m['label']} is not open"
        elif m := re.search(r"against (.*?): .*: no conclusion", line):
            if counted := re.search(r": (\d+) of the cells were still improving", line):
                named = [of, *(facts.cell(label, cells) for label in re.findall(LABEL, m[1]))]
                own = sum(any(run.still_improving for run in cell.runs) for cell in named)
                yield from differs("cells still improving", counted[1], own)
            for label in re.findall(LABEL, m[1]):
                if tests[of.label, facts.cell(label, cells).label][1] is not None:
                    yield f"{label} may be compared"
                left.discard(label)
        elif line not in NOTHING:
            raise UnsureError(line)
    if left:
        yield f"not told to be open: {', '.join(sorted(left))}"
