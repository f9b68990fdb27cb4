"""The tables that a report may hold: which they are, and what must be true of each row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np

from . import duels, tuning
from .balance import balance
from .beyond import beyond
from .claims import interval_differs
from .environment import data, evaluated, ran_on
from .facts import Facts, UnsureError, compared, metric_of, unknown_heads
from .figures import LEVEL, Cell
from .page import Part
from .published import elsewhere, published
from .recorded import best_valid
from .rules import agreement, places, rule
from .runs import Run
from .sentences import verdict
from .texts import (
    NOTHING,
    N,
    differs,
    number,
    p_differs,
    spread_differs,
)
from .tuning import budget_differs

Row = dict[str, str]
Check = Callable[[Row, Facts, Part], Iterator[str]]


DONE = r"(\d+|–)(?: of (\d+)(?:: (.*))?)?"
"""How many runs are done; of a suite, of how many, and the states of the rest."""


def _done(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    for head, shown in row.items():
        if head.startswith("L = "):
            of = [
                run
                for run in facts.done
                if run.place[:3] == (row["model"], row["data set"], int(head[4:]))
            ]
            done, of_asked, rest = re.fullmatch(DONE, shown).groups()  # type: ignore[union-attr]
            yield from differs(head, done, len(of) or (0 if of_asked else None))
            if of_asked:
                missed = sum(map(int, re.findall(r"\d+", rest or "")))
                yield from differs("those missing", str(missed), int(of_asked) - len(of))


def _ended_badly(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    run = next((run for run in facts.runs if run.id == row["run"]), None)
    if run is None or run.state != row["state"]:
        yield f"it is {run.state if run else 'no run'}"
    elif run.end.get("message") and run.end["message"] != row["why"]:
        yield f"its journal says {run.end['message']}"


def _remarks(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    if row["remark"].startswith("throttled"):
        raise UnsureError("the GPU's clocks")
    of = [run for run in facts.done if row["remark"] in run.remarks]
    yield from differs("runs", row["runs"], len(of))
    for line in row["of"].split("<br>"):
        m = re.match(r"(\S+) L(\d+)( refit)? on (\S+), seeds? (.*)", line)
        if m is None:
            raise UnsureError(line)
        place, refit = (m[1], m[4], int(m[2])), m[3] is not None
        named = [run for run in of if run.place[:3] == place and ("refits" in run.spec) == refit]
        seeds = sorted({str(run.spec["seed"]) for run in named})
        if seeds != sorted(re.findall(r"\d+", m[5])):
            yield f"of {m[1]} L{m[2]} it is seeds {seeds}"


def _epoch_time(run: Run) -> float:
    return float(np.median(run.trained))


PIVOT: dict[str, Callable[[Run], float | None]] = {
    "EpochTime": _epoch_time,
    "GPU/Memory(MiB)": lambda run: run.chosen.get("gpu_memory_mib"),
    "GPU/Utilization(%)": lambda run: run.chosen.get("gpu_utilization"),
    "GradientNorm": lambda run: run.chosen["grad_norm"],
    "HitRate@10/test": lambda run: run.chosen["test_hit"],
    "LearningRate": lambda run: run.chosen["lr"],
    "Loss/train": lambda run: run.chosen["loss_sum"],
    "Model/TotalParams": lambda run: run.parameters,
    "MRR@10/test": lambda run: run.chosen["test_mrr"],
    "NDCG@10/test": lambda run: run.chosen["test_ndcg"],
    "Recall@10/test": lambda run: run.chosen["test_recall"],
    "Total Epoch Trained": lambda run: len(run.epochs),
}


def _pivot(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    """A cell's means, or the greatest of the cells beneath a row."""
    place = [name for name in row["#"].split("›") if name]
    cells = facts.cells
    for index, name in enumerate(place):
        if index < 2:
            cells = [c for c in cells if c.runs[0].place[index] == name]
        else:
            length, _, words = name.removesuffix(" !").partition(" · ")
            cells = [c for c in cells if str(c.runs[0].place[2]) == length and c.differs == words]
    if len(place) == 3:
        yield from _sign_differs(row[""], facts.only(cells, name), facts)
    for head, value in PIVOT.items():
        if head not in row:
            yield from _left_out(head, value, facts)
        elif len(place) == 3:
            yield from spread_differs(head, row[head], [value(run) for run in cells[0].runs])
        else:
            means = [np.mean(known) for c in compared(cells) if (known := _known(c, value))]
            yield from differs(head, row[head], max(means, default=None))
    yield from unknown_heads(row, {"", "#", *PIVOT})


def _left_out(head: str, value: Callable[[Run], float | None], facts: Facts) -> Iterator[str]:
    """Hold a column that isn't there against what the runs have: no value, or Recall's again."""
    runs = [run for cell in facts.cells for run in cell.runs]
    recall = PIVOT["Recall@10/test"]
    if any(value(run) is not None and value(run) != recall(run) for run in runs):
        yield f"{head} isn't shown, and runs have it"


def _known(cell: Cell, value: Callable[[Run], float | None]) -> list[float]:
    return [found for run in cell.runs if (found := value(run)) is not None]


def _quality(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    cell = facts.cell(row["cell"], facts.group(part.place))
    yield from _sign_differs(row["cell"], cell, facts)
    yield from differs("seeds", row["seeds"], len(cell.runs))
    yield from budget_differs(row, cell)
    known = {"#", "cell", "seeds", "trials", "tuning, s"}
    for head, shown in row.items():
        if "/test" in head:
            yield from spread_differs(head, shown, list(facts.users(cell).mean(1)))
        elif "/valid" in head:
            metric, masked = metric_of(head)
            yield from differs(head, shown, cell.valid(metric, masked))
        elif head == "95 % over users":
            low, high = re.findall(N, shown)
            yield from interval_differs(cell.label, cell, facts, low, high)
        elif head == "chosen epoch":
            mean = np.mean([run.chosen["epoch"] for run in cell.runs])
            yield from differs(head, shown, float(mean))
        else:
            continue
        known.add(head)
    yield from unknown_heads(row, known)


def _capacity(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    for head, shown in row.items():
        if head.startswith("L = "):
            place = row["model"], row["data set"], int(head[4:]), row["profile"]
            of_place = [run.parameters for run in facts.runs if run.place == place]
            own = {parameters for parameters in of_place if parameters is not None}
            told = {int(number(each)) for each in re.findall(r"[\d,]+", shown)}
            if own != told:
                yield f"{head}: {shown}, but it is {own}"


def _memory(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    cell = facts.cell(row["cell"], facts.group(part.caption))
    for head in row.keys() - {"cell", "#"}:
        values = [run.cost(head.removesuffix(", MiB")) for run in cell.runs]
        yield from spread_differs(head, row[head], values)


def _costs(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.group(part.place)
    cell = facts.cell(row["cell"], cells)
    for head, shown in row.items():
        if head in ("cell", "#"):
            continue
        if re.match(r"\w+@\d+", head):
            yield from differs(head, shown, facts.mean(cell))
        elif head.startswith("Time to quality"):
            yield from differs(head, shown, _to_quality(cell, cells, lambda run: run.trained))
        elif head.startswith("Energy to quality"):
            yield from differs(head, shown, _to_quality(cell, cells, lambda run: run.joules))
        else:
            name = re.sub(r", (s|J|MiB)$", "", head)
            yield from spread_differs(head, shown, [run.cost(name) for run in cell.runs])


def _to_quality(cell: Cell, cells: list[Cell], of: Callable[[Run], list[float]]) -> float | None:
    """What epochs took until 95 % of the best validation NDCG, mean over seeds."""
    if cell.refit:
        return None
    level = 0.95 * best_valid([run for c in cells for run in c.runs], "valid_ndcg")
    times = []
    for run in cell.runs:
        passed = [number for number, e in enumerate(run.epochs) if e["valid_ndcg"] >= level]
        if not passed or not of(run):
            return None
        times.append(sum(of(run)[: passed[0] + 1]))
    return float(np.mean(times))


def _pair(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.group(part.caption)
    a, b = facts.cell(row["a"], cells), facts.cell(row["b"], cells)
    found, p = facts.of_cells[a.label, b.label, a.group]
    yield from differs("mean a", row["mean a"], facts.mean(a))
    yield from differs("mean b", row["mean b"], facts.mean(b))
    for head, value in {
        "a - b": found.mean,
        "low": found.low,
        "high": found.high,
        "effect": found.effect,
    }.items():
        yield from differs(head, row[head], value)
    yield from p_differs("the two", row["p"], p)
    said = "better" if found.mean > 0 else "worse"
    own = "" if p is None else said if p < LEVEL else "no difference shown"
    if p is not None and row["a is"] != own:
        yield f"a is {row['a is']}, but it is {own}"
    if p is None and row["a is"] in ("better", "worse", "no difference shown"):
        yield f"a is {row['a is']}, which may not be told"


def _inflation(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    found = [
        c
        for c in facts.cells
        if c.label == row["cell"].split(" !")[0] and c.runs[0].place[1] == row["data set"]
    ]
    runs = facts.only(found, row["cell"]).runs
    for head, shown in row.items():
        if "@10" in head and shown not in NOTHING:
            metric, _ = metric_of(head)
            added = [
                max(e[f"test_{metric}"] for e in run.epochs) - run.chosen[f"test_{metric}"]
                for run in runs
            ]
            text, _, share = shown.partition(" (")
            yield from spread_differs(head, text, added)
            base = np.mean([run.chosen[f"test_{metric}"] for run in runs])
            if base:
                yield from differs(
                    f"share of {head}", share.rstrip(" %)"), 100 * float(np.mean(added) / base)
                )


_WINNER = "Does the winner change with the protocol?"

_CHOSEN = "How settings were chosen"

TABLES: tuple[tuple[str, tuple[str, ...], Check], ...] = (
    ("Testing scope", ("data set", "model"), _done),
    ("Testing scope", ("run", "state", "why"), _ended_badly),
    ("Testing scope", ("remark", "runs", "of"), _remarks),
    ("Results", ("", "NDCG@10/test"), _pivot),
    ("Results", ("cell", "seeds"), _quality),
    ("Compared with published results", ("cell", "data set", "published"), published),
    ("Compared with published results", ("source", "data set", "published"), elsewhere),
    ("Other cut-offs, parts of the targets, and what is recommended", ("cell",), beyond),
    (_WINNER, ("rule", "data set", "targets"), rule),
    (_WINNER, ("cell",), places),
    (_WINNER, ("rule", "and rule"), agreement),
    ("Model capacity", ("data set", "model", "profile"), _capacity),
    ("Memory", ("cell",), _memory),
    ("Trade-offs", ("cell",), _costs),
    ("Trade-offs", ("model", "pros", "cons"), balance),
    (_CHOSEN, ("model", "trials", "pruned"), tuning.chosen),
    (_CHOSEN, ("model", "best of 1"), tuning.expected),
    (_CHOSEN, ("model", "setting"), tuning.importance),
    (_CHOSEN, ("trial", "state"), tuning.trial),
    ("Which differences are shown", ("a", "b"), _pair),
    ("Duels", ("seeds each",), duels.look),
    ("What the maximum over epochs inflates", ("cell", "data set", "profile"), _inflation),
    ("Environment", ("", "", "runs"), ran_on),
    ("Environment", ("data set", "checksum", "split", ""), evaluated),
    ("Environment", ("data set", "checksum", "split"), data),
)
"""By section and the first heads."""


def judged_rows(part: Part, facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Yield each row of a table with ``holds``, ``false`` or ``not checked``, and why."""
    head, *rows = part.rows
    check = next(
        (
            c
            for section, heads, c in TABLES
            if section == part.section and tuple(head[: len(heads)]) == heads
        ),
        None,
    )
    places: list[str] = []
    for row in rows:
        text = " | ".join(row)
        if check is None:
            yield text, "not checked", f"no such table is known: {', '.join(head)}"
            continue
        named = dict(zip(head, row, strict=True))
        if check is _pivot:
            places = _place(row[0], places, facts)
            named["#"] = "›".join(places)
        elif check is ran_on:
            places = [row[0] or places[0], row[1]]
            named["#"] = "›".join(places)
        yield (text, *verdict(check(named, facts, part)))


def _unsigned(label: str) -> str:
    return re.sub(r" [≈▽]$", "", label)


def _sign_differs(label: str, cell: Cell, facts: Facts) -> Iterator[str]:
    """Check the sign after a cell's name: where it stands against its floor."""
    sign = facts.signs(cell.group).get(cell.label, "")
    if label[len(_unsigned(label)) :].strip() != sign:
        yield f"the sign of {cell.label} is {sign!r}"


def _place(label: str, before: list[str], facts: Facts) -> list[str]:
    """Where a row of the pivot stands: model, data set, length."""
    label = _unsigned(label).removesuffix(" !")
    if label.startswith("Grand Total"):
        return []
    if label in {cell.runs[0].place[0] for cell in facts.cells} and len(before) != 1:
        return [label]
    if label in {cell.runs[0].place[1] for cell in facts.cells}:
        return [before[0], label]
    return [*before[:2], label]
