"""What must be true for each sentence of a report; ``sentences.txt`` has their patterns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .facts import WORTH, Facts, UnsureError, metric_of
from .figures import LEVEL, Cell
from .page import Part
from .texts import DIFFERENCE, LABEL, N, differs, number, p_differs

Match = re.Match[str]
Check = Callable[[Match, Facts, Part], Iterator[str]]
BETWEEN = r"(?:, | and )"


def _static(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """Check nothing: it says how to read what stands beside it."""
    yield from ()


def _about(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    done = facts.done
    own = {
        "run": len(done),
        "model": len({run.place[0] for run in done}),
        "data set": len({run.place[1] for run in done}),
        "length": len({run.place[2] for run in done}),
        "seed": len({run.spec["seed"] for run in done}),
    }
    for count, what in re.findall(r"([\d,]+) (run|model|data set|length|seed)s?\b", m[0]):
        yield from differs(f"number of {what}s", count, own[what])


def _quality(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """The ranks must give what the journal has for the chosen epoch."""
    for run in facts.done:
        name = f"test_{facts.metric}{'_masked' if facts.masked else ''}"
        ranked = float(facts.users(Cell((run,), run.group)).mean())
        if abs(ranked - run.chosen[name]) > 1e-6:
            yield f"{run.id}: its ranks give {ranked:.6f}, its journal {run.chosen[name]:.6f}"


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
        found, p = tests[of, m["label"]]
        yield from difference_differs(f"{of} to {m['label']}", m, found, p)
        if p is None or p >= LEVEL or found.mean <= 0:
            yield f"{of} is not shown to be above {m['label']}"


def difference_differs(what: str, m: Match, found: object, p: float | None) -> Iterator[str]:
    for name in ("mean", "low", "high"):
        yield from differs(f"{name} of {what}", m[name], getattr(found, name))
    yield from p_differs(what, m["p"], p)


def _is_best(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.contenders(facts.group(m["title"]))
    best = facts.cell(m["label"], cells)
    yield from figure_and_interval(m["label"], best, facts, (m["own"], m["from"], m["to"]))
    yield from _beaten(m["label"], m["others"], cells, facts)
    others = {cell.label for cell in cells if cell is not best}
    if others - set(re.findall(LABEL, m["others"])):
        yield f"{m['label']} isn't set beside every other model"


def _none_best(m: Match, facts: Facts, part: Part) -> Iterator[str]:
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


def _alone(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.contenders(facts.group(m["title"]))
    if len(cells) != 1:
        yield f"there are {len(cells)} models"
    yield from _listed_figures(f"{m['label']} {m['rest']}", cells, facts)


def _untold(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.contenders(facts.group(m["title"]))
    if any(p is not None for _, p in facts.of_models(cells).values()):
        yield "some models may be compared"
    yield from _reason(m["why"], cells)
    yield from _listed_figures(m["figures"], cells, facts)


def _reason(text: str, cells: list[Cell]) -> Iterator[str]:
    """Why nothing may be told: one seed, unfinished training, other data."""
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


def _why(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    yield from _reason(m["why"], facts.cells)
    if m["count"]:
        own = sum(any(run.still_improving for run in cell.runs) for cell in facts.cells)
        yield from differs("cells", m["count"], own)


def _signs(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """How many runs of the tables above have each remark."""
    cells = facts.group(part.place) if part.place else facts.cells
    runs = [run for cell in cells for run in cell.runs]
    for remark, count in re.findall(r"([\w -]+?) \(([\d,]+) of the runs\)", m["remarks"]):
        name = remark.removeprefix(" and ").strip()
        yield from differs(name, count, sum(name in run.remarks for run in runs))


def _further(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    if not any(run.still_improving for run in facts.done):
        yield "no run is still improving"


def _continued(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    runs = {run.id: run for run in facts.done}
    for name in m["runs"].split():
        if not runs[name].still_improving:
            yield f"{name} is not still improving"
        yield from differs("limit", m["limit"], 2 * runs[name].spec["training"]["epochs"])


def _family_of_models(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    for count, title in re.findall(r"([\d,]+) on ([^,]+?)(?=, \d| and \d|\.?$)", m["numbers"]):
        cells = facts.contenders(facts.group(title))
        told = [p for _, p in facts.of_models(cells).values() if p is not None]
        yield from differs(f"comparisons on {title}", count, len(told) / 2)


def _family_of_cells(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    told = [p for _, p in facts.of_cells.values() if p is not None]
    yield from differs("comparisons", "1" if m["count"] == "one" else m["count"], len(told) / 2)


def _families_of_costs(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.group(part.place)
    told = [p for _, p in facts.of_models(facts.contenders(cells)).values() if p is not None]
    counts = {"two models": len(told) / 2, "costs": len(list(facts.costs(cells))) / 2}
    for count, what in re.findall(r"([\d,]+|one) comparisons? of (two models|costs)", m[0]):
        yield from differs(f"comparisons of {what}", "1" if count == "one" else count, counts[what])


def _states(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    counts = Counter(run.state for run in facts.runs)
    told = re.findall(r"([\d,]+) (\w+)", m["states"])
    for count, state in told:
        yield from differs(f"runs that are {state}", count, counts[state])
    if {state for _, state in told} != set(counts):
        yield f"runs are {dict(counts)}"


def _quiet(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    quiet = not m[0].startswith("For")
    of = [run for run in facts.done if not run.marks and run.is_told == quiet]
    yield from differs("runs", m["count"], len(of))
    yield from differs("runs in all", m["all"], len(facts.done))


def _least_ratio(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    yield from differs("the least ratio that is told", m["least"], WORTH)


def _few_users(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """The widest interval of a data set's cells is told."""
    users = int(number(m["users"]))
    halves = [
        (high - low) / 2
        for cell in facts.cells
        if facts.users(cell).shape[1] == users
        for low, high in [facts.interval(cell)]
    ]
    yield from differs("half the interval", m["half"], max(halves, default=None))


def _passed(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    share = float(m["share"].rstrip(" %")) / 100
    name, masked = metric_of(m["name"])
    key = f"valid_{name}{'_masked' if masked else ''}"
    runs = [run for cell in facts.group(part.place) for run in cell.runs]
    level = share * max(line[key] for run in runs for line in run.epochs)
    yield from differs("level", m["level"], level)


def _adds(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    name, _ = metric_of(m["name"])
    added, shares = [], []
    for cell in facts.cells:
        chosen = np.mean([run.chosen[f"test_{name}"] for run in cell.runs])
        most = np.mean([max(line[f"test_{name}"] for line in run.epochs) for run in cell.runs])
        added.append(most - chosen)
        shares.extend([(most - chosen) / chosen] if chosen else [])
    yield from differs("what it adds", m["mean"], float(np.mean(added)))
    yield from differs("share", m["share"], 100 * float(np.mean(shares)))
    if m["cells"]:
        yield from differs("cells", m["cells"], len(added))


def _ended(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    days = sorted(str(np.datetime64(int(run.end["t"]), "s"))[:10] for run in facts.done)
    told = re.findall(r"\d{4}-\d\d-\d\d", m[0])
    if {told[0], told[-1]} != {days[0], days[-1]}:
        yield f"they ended from {days[0]} to {days[-1]}"


def _ceiling(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    runs = [run for run in facts.done if run.place[1] == m["dataset"]]
    if not runs:
        yield f"no run on {m['dataset']}"
    for run in runs:
        users, cold = run.start["test_users"], run.start["test_cold"]
        yield from differs("cold items", m["cold"], cold)
        yield from differs("users", m["users"], users)
        yield from differs("ceiling", m["most"], (users - cold) / users)


def _quality_picture(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.group(m["title"])
    means = [facts.mean(cell) for cell in cells]
    yield from differs("cells", m["cells"], len(cells))
    yield from differs("users", m["users"], facts.users(cells[0]).shape[1])
    yield from differs("smallest", m["least"], min(means))
    yield from differs("largest", m["most"] or m["least"], max(means))


def _curves_picture(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    # What is fitted has no curve over epochs.
    cells = [cell for cell in facts.group(m["title"]) if not cell.fitted]
    runs = [run for cell in cells for run in cell.runs]
    counts = Counter(run.place[0] for run in runs)
    told: Counter[str] = Counter()  # of a model's cells together: what differs follows its name
    for count, model in re.findall(r"([\d,]+) of ([\w.-]+)", m["runs"]):
        told[model] += int(count.replace(",", ""))
    for model, count in told.items():
        yield from differs(f"runs of {model}", str(count), counts.pop(model))
    if counts:
        yield f"{', '.join(counts)} are left out"
    metric, masked = metric_of(m["name"])
    chosen = [run.chosen[f"valid_{metric}{'_masked' if masked else ''}"] for run in runs]
    yield from differs("smallest", m["least"], min(chosen))
    yield from differs("largest", m["most"] or m["least"], max(chosen))


def _pareto_picture(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    cells = facts.group(m["title"])
    yield from differs("cells", m["cells"], len(cells))
    fronts = m["fronts"].split("; ")
    yield from differs("costs", m["costs"], len(fronts))
    for front in fronts:
        name, _, told = front.partition(": ")
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


def _floor(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    yield from _floor_differs(m["value"], facts, facts.group(part.place)[0].group)


def _floors(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    group = facts.group(m["title"])[0].group
    yield from _floor_differs(m["value"], facts, group)
    signs = list(facts.signs(group).values())
    yield from differs("the trained cells", m["all"].replace("one", "1"), len(signs))
    sign = {"can't": "≈", "lies": "▽", "lie": "▽"}.get(m["what"].split()[0], "")
    yield from differs("those", m["count"], signs.count(sign))
    if sign == "≈":
        yield from differs("those below", m["below"] or "0", signs.count("▽"))
    elif "≈" in signs or (not sign and "▽" in signs):
        yield "others are no better than the floor"


def _floor_differs(shown: str, facts: Facts, group: tuple[Any, ...]) -> Iterator[str]:
    floor = facts.floor(group)
    values = [run.chosen["test_ndcg"] for run in floor.runs] if floor else [None]
    yield from differs("the floor", shown, values[0] and float(np.mean(values)))


def _title(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    facts.group(m[0])
    yield from ()


def _command(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    told = dict(re.findall(r"--(model|dataset|length|seed|profile) (\S+)", m[0]))
    place = told["model"], told["dataset"], int(told["length"])
    seeds = {int(seed) for seed in told["seed"].split(",")}
    given = dict(re.findall(r"--set (\w+)=(\S+)", m[0]))
    cells = [cell for cell in facts.cells if cell.runs[0].place[:3] == place]
    fit = [cell for cell in cells if {run.spec["seed"] for run in cell.runs} == seeds]
    if part.section == "Testing scope":  # a higher limit for what was still improving
        fit = [cell for cell in fit if any(run.still_improving for run in cell.runs)]
        limits = {str(2 * cell.runs[0].spec["training"]["epochs"]) for cell in fit}
        if given.pop("epochs", None) not in limits:
            yield f"the limit is not one of {sorted(limits)}"
    settings = [
        {**cell.runs[0].spec["architecture"], **cell.runs[0].spec["training"]} for cell in fit
    ]
    if not any(all(str(own.get(k)) == v for k, v in given.items()) for own in settings):
        yield "no cell has these seeds and settings"


def _each_cell(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    place = m["model"], m["dataset"], int(m["length"]), m["profile"]
    own = {cell.differs for cell in facts.cells if cell.runs[0].place == place}
    if len(own) < 2 or own != set(m["names"].split(", ")):
        yield f"the cells are {sorted(own)}"


def _rows_apart(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    place = m["model"], m["dataset"], int(m["length"])
    rows = sum(cell.runs[0].place[:3] == place for cell in facts.cells)
    yield from differs("its rows", m["rows"], rows)


def _patterns() -> Iterator[tuple[re.Pattern[str], Check]]:
    """Read ``sentences.txt``."""
    text = Path(__file__).with_name("sentences.txt").read_text(encoding="utf-8")
    for entry in text.strip().split("\n\n"):
        if not entry.startswith("#"):
            name, _, pattern = " ".join(entry.split()).partition(": ")
            pattern = pattern.replace("@N@", N).replace("@LABEL@", LABEL)
            yield re.compile(pattern), _static if name == "-" else globals()[f"_{name}"]


PATTERNS = tuple(_patterns())


def judged(part: Part, facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Yield each sentence of a text with ``holds``, ``false`` or ``not checked``, and why."""
    rest = part.text.strip()
    while rest:
        for pattern, check in PATTERNS:
            if found := pattern.match(rest):
                yield (found[0], *verdict(check(found, facts, part)))
                rest = rest[found.end() :].strip()
                break
        else:
            end = re.search(r"[.:](?=\s+[A-Z`]|$)", rest)
            stop = end.end() if end else len(rest)
            yield rest[:stop], "not checked", "no pattern fits"
            rest = rest[stop:].strip()


def verdict(faults: Iterator[str]) -> tuple[str, str]:
    """Say whether what was checked holds: it does without faults."""
    try:
        found = list(faults)
    except (UnsureError, KeyError, IndexError) as error:
        return "not checked", f"{type(error).__name__}: {error}"
    return ("false", "; ".join(found)) if found else ("holds", "")
