"""What a report says of its runs: how many there are, what their journals tell, how to run them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from .facts import WORTH, Facts, metric_of
from .figures import Cell
from .page import Part
from .runs import Run
from .texts import differs

Match = re.Match[str]


def about(m: Match, facts: Facts, part: Part) -> Iterator[str]:
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


def quality(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """The ranks must give what the journal has for the chosen epoch."""
    for run in facts.done:
        name = f"test_{facts.metric}{'_masked' if facts.masked else ''}"
        ranked = float(facts.users(Cell((run,), run.group)).mean())
        other = run.end.get("results", {}).get(f"{name}_at_{facts.k}", ranked)
        told = run.chosen[name] if facts.k == 10 else other
        if abs(ranked - told) > 1e-6:
            yield f"{run.id}: its ranks give {ranked:.6f}, its journal {told:.6f}"


def signs(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """How many runs of the tables above have each remark."""
    title = part.above if part.section == "Memory" else part.place
    cells = facts.group(title) if title else facts.cells
    runs = [run for cell in cells for run in cell.runs]
    for remark, count in re.findall(r"([\w -]+?) \(([\d,]+) of the runs\)", m["remarks"]):
        name = remark.removeprefix(" and ").strip()
        yield from differs(name, count, sum(name in run.remarks for run in runs))


def further(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    if not any(run.still_improving for run in facts.done):
        yield "no run is still improving"


def continued(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    runs = {run.id: run for run in facts.done}
    for name in m["runs"].split():
        if not runs[name].still_improving:
            yield f"{name} is not still improving"
        yield from differs("limit", m["limit"], 2 * runs[name].spec["training"]["epochs"])


def states(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    counts = Counter(run.state for run in facts.runs)
    told = re.findall(r"(\d[\d,]*) (\w+)", m["states"])
    for count, state in told:
        yield from differs(f"runs that are {state}", count, counts[state])
    if {state for _, state in told} != set(counts):
        yield f"runs are {dict(counts)}"


def quiet(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    quiet = not m[0].startswith("For")
    of = [run for run in facts.done if not run.disturbed and run.is_told == quiet]
    yield from differs("runs", m["count"], len(of))
    yield from differs("runs in all", m["all"], len(facts.done))


def least_ratio(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    yield from differs("the least ratio that is told", m["least"], WORTH)


def passed(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    share = float(m["share"].rstrip(" %")) / 100
    name, masked = metric_of(m["name"])
    key = f"valid_{name}{'_masked' if masked else ''}"
    runs = [run for cell in facts.group(part.place) for run in cell.runs]
    yield from differs("level", m["level"], share * best_valid(runs, key))


def best_valid(runs: Sequence[Run], key: str) -> float:
    """The best of a metric of validation in any epoch; refits have none."""
    return max(line[key] for run in runs for line in run.epochs if key in line)


def adds(m: Match, facts: Facts, part: Part) -> Iterator[str]:
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


def ended(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    days = sorted(str(np.datetime64(int(run.end["t"]), "s"))[:10] for run in facts.done)
    told = re.findall(r"\d{4}-\d\d-\d\d", m[0])
    if {told[0], told[-1]} != {days[0], days[-1]}:
        yield f"they ended from {days[0]} to {days[-1]}"


def ceiling(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    refit = "trained on validation too" in m[0]
    runs = [
        run
        for run in facts.done
        if run.place[1] == m["dataset"] and ("refits" in run.spec) == refit
    ]
    if not runs:
        yield f"no run on {m['dataset']}"
    for run in runs:
        ranked = run.start.get("test_targets", run.start["test_users"])
        cold = run.start["test_cold"]
        yield from differs("cold items", m["cold"], cold)
        yield from differs("items", m["items"], ranked)
        highest = run.start.get("test_ceiling", (ranked - cold) / ranked)
        yield from differs("ceiling", m["most"], highest)


def title(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    facts.group(m[0])
    yield from ()


def command(m: Match, facts: Facts, part: Part) -> Iterator[str]:
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


def each_cell(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    place = m["model"], m["dataset"], int(m["length"]), m["profile"]
    own = {cell.differs for cell in facts.cells if cell.runs[0].place == place}
    if len(own) < 2 or own != set(m["names"].split(", ")):
        yield f"the cells are {sorted(own)}"


def suite(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """How many of a suite's runs are done: of a fitted model one a cell is enough."""
    asked = [run for run in facts.done if facts.is_asked(run)]
    yield from differs("runs that are done", m["done"], len(asked))


def missing(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """Runs that a suite asks for and that there aren't."""
    lengths, seeds = (set(map(int, re.findall(r"\d+", m[name]))) for name in ("lengths", "seeds"))
    for run in filter(facts.is_asked, facts.done):
        of = run.place[:2] == (m["model"], m["dataset"]) and run.place[2] in lengths
        if of and run.spec["seed"] in seeds:
            yield f"{run.id} is done"


def more_apart(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """How many more places have several rows than are told, which are three."""
    places = Counter(cell.runs[0].place[:3] for cell in facts.cells)
    several = sum(rows > 1 for rows in places.values())
    yield from differs("such cells", m["count"], several - 3)


def rows_apart(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    place = m["model"], m["dataset"], int(m["length"])
    own = [cell for cell in facts.cells if cell.runs[0].place[:3] == place]
    yield from differs("its rows", m["rows"], len(own))
    if ("profile" in m["what"]) != (len({cell.runs[0].place[3] for cell in own}) > 1):
        yield "it is the other way round with profiles"
