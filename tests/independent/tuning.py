"""What a report says of how settings were chosen: budgets, and the trials of studies."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from .facts import Facts, unknown_heads
from .figures import Cell
from .page import Part
from .runs import Run
from .texts import LABEL, N, differs, number

Match = re.Match[str]
Row = dict[str, str]
UNSTATED = "with a budget that nobody states"
MOST_LINES = 200
"""The most trials of a model that are drawn as lines."""


def budget_differs(row: Row, cell: Cell) -> Iterator[str]:
    """Check the columns ``trials`` and ``tuning, s`` of a cell, where a table has them."""
    for head, name in (("trials", "trials"), ("tuning, s", "seconds")):
        if head not in row:
            continue
        chosen = cell.runs[-1].spec.get("chosen_by")
        if isinstance(chosen, dict):
            yield from differs(head, row[head], chosen[name])
        elif row[head] != (chosen or ""):
            yield f"{head}: {row[head]}, but its specification says {chosen}"


def _budget(cell: Cell) -> str:
    chosen = cell.runs[-1].spec.get("chosen_by")
    if not isinstance(chosen, dict):
        return chosen or UNSTATED
    return "with 1 trial" if chosen["trials"] == 1 else f"with {chosen['trials']:,} trials"


def _trained(title: str, facts: Facts) -> list[Cell]:
    return [cell for cell in facts.group(title) if not cell.fitted]


def same_budget(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    own = {_budget(cell) for cell in _trained(m["title"], facts)}
    if own != {m["budget"]}:
        yield f"they are {', '.join(sorted(own))}"


def other_budgets(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    own = defaultdict(set)
    for cell in _trained(m["title"], facts):
        own[_budget(cell)].add(cell.label)
    told = {
        budget[0].lower() + budget[1:]: set(re.findall(LABEL, labels))
        for budget, _, labels in (each.partition(": ") for each in m["budgets"].split("; "))
    }
    if told != own:
        yield f"it is {dict(own)}"


def _trials(place: str, facts: Facts) -> list[Run]:
    """The trials of the study that a heading names, by number."""
    found = re.match(r"Study (.+?): ", place)
    assert found is not None, place
    of = [run for run in facts.trials if run.spec["trial"]["study"]["name"] == found[1]]
    return sorted(of, key=lambda run: int(run.spec["trial"]["number"]))


def _of_model(place: str, model: str, facts: Facts) -> list[Run]:
    return [run for run in _trials(place, facts) if run.place[0] == model]


def _value(run: Run) -> float | None:
    return run.chosen["valid_ndcg"] if run.epochs else None


def _seconds(run: Run) -> float:
    return sum(line["train_seconds"] + line["eval_seconds"] for line in run.epochs)


def _reached(runs: list[Run]) -> np.ndarray:
    """What each trial that ended by itself reached, 0 if it failed."""
    ended = [run for run in runs if run.state in ("done", "failed")]
    return np.array([_value(run) or 0.0 if run.state == "done" else 0.0 for run in ended])


def _best(runs: list[Run]) -> Run | None:
    whole = [run for run in runs if run.state == "done" and not run.pruned]
    return max(
        whole, key=lambda run: (_value(run) or 0.0, -run.spec["trial"]["number"]), default=None
    )


def _expected(values: np.ndarray, n: int) -> float:
    """The mean of the best of n draws: the highest value less what the steps below it take away."""
    ordered = np.sort(values)
    up_to = (np.arange(1, len(ordered)) / len(ordered)) ** n
    return float(ordered[-1] - np.sum(np.diff(ordered) * up_to))


def _interval(values: np.ndarray, n: int) -> tuple[float, float]:
    ordered = np.sort(values)
    up_to = (np.arange(1, len(ordered) + 1) / len(ordered)) ** n
    low, high = (int(np.argmax(up_to >= share)) for share in (0.025, 0.975))
    return float(ordered[low]), float(ordered[high])


def _settings(run: Run) -> dict[str, str]:
    own = {**run.spec["architecture"], **run.spec["training"]}
    space = _space(run)
    return {
        key: str(own[key]).lower() if isinstance(own[key], bool) else str(own[key]) for key in space
    }


def _choices(run: Run) -> dict[str, object]:
    models = run.spec["trial"]["study"]["models"]
    (space,) = (model["space"] for model in models if model["model"] == run.place[0])
    return dict(space)


def _space(run: Run) -> list[str]:
    return list(_choices(run))


def chosen(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    runs = _of_model(part.place, row["model"], facts)
    best = _best(runs)
    yield from differs("trials", row["trials"], len(runs))
    yield from differs("pruned", row["pruned"], sum(run.pruned for run in runs))
    yield from differs("failed", row["failed"], sum(run.state == "failed" for run in runs))
    yield from differs("tuning", row["tuning, s"], sum(map(_seconds, runs)))
    whole = runs[0].state == "done" and not runs[0].pruned
    yield from differs("recipe", row["recipe"], _value(runs[0]) if whole else None)
    yield from differs("chosen", row["chosen"], _value(best) if best else None)
    yield from differs("trial", row["trial"], best.spec["trial"]["number"] if best else None)
    told = dict(each.split("=") for each in row["settings"].split())
    if told != (_settings(best) if best else {}):
        yield f"its settings are {_settings(best) if best else 'none'}"
    heads = (
        "model",
        "trials",
        "pruned",
        "failed",
        "tuning, s",
        "recipe",
        "chosen",
        "trial",
        "settings",
    )
    yield from unknown_heads(row, {*heads})


def expected(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    values = _reached(_of_model(part.place, row["model"], facts))
    for head in row.keys() - {"model"}:
        n = int(number(head.removeprefix("best of ")))
        if not row[head]:
            if n in (1, 2, 5, 10) and n <= len(values):
                yield f"{head} isn't told"
            continue
        mean, *ends = re.findall(N, row[head])
        yield from differs(head, mean, _expected(values, n))
        for what, shown, value in zip(("low", "high"), ends, _interval(values, n), strict=True):
            yield from differs(f"{what} of {head}", shown, value)


def importance(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    """Hold it to what any such figure must be; what it is of is the trials' own."""
    runs = _of_model(part.place, row["model"], facts)
    if row["setting"] not in _space(runs[0]):
        yield f"{row['setting']} isn't in the space"
    share, chance = (number(row[head].removesuffix(" %")) for head in ("importance", "by chance"))
    if not 0 <= share <= 100 or not 1 <= chance <= 100:
        yield "it is no share"
    yield from unknown_heads(row, {"model", "setting", "importance", "by chance"})


def trial(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    numbered = {str(run.spec["trial"]["number"]): run for run in _trials(part.place, facts)}
    run = numbered.get(row["trial"])
    if run is None:
        yield f"there is no trial {row['trial']}"
        return
    state = "pruned" if run.pruned else run.state
    if row["state"] != state:
        yield f"it is {state}"
    yield from differs("value", row["valid NDCG@10"], _value(run))
    yield from differs("best epoch", row["best epoch"], run.chosen["epoch"] if run.epochs else None)
    yield from differs("seconds", row["s"], _seconds(run))
    for key, value in _settings(run).items():
        if row[key] != value:
            yield f"{key} is {value}"


def searched(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    runs = _trials(part.place, facts)
    study = runs[0].spec["trial"]["study"]
    how = {"tpe": "chosen by", "random": "drawn at", "grid": "every"}
    yield from differs("trials", m["trials"], study["trials"])
    yield from differs("seed", m["seed"], study["seed"])
    yield from differs(
        "ended", m["ended"], sum(run.state in ("done", "failed", "cancelled") for run in runs)
    )
    yield from differs("all trials", m["all"], study["trials"] * len(study["models"]))
    if not m["how"].startswith(how[study["sampler"]]):
        yield f"the sampler is {study['sampler']}"
    if m["prune"].startswith("none") != (study["prune"] == "none"):
        yield f"pruning is {study['prune']}"


def more_budget(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    values = _reached(_of_model(part.place, m["model"], facts))
    half = len(values) // 2
    yield from differs("trials", m["every"], len(values))
    yield from differs("half of them", m["half"], half)
    best, less = _expected(values, len(values)), _expected(values, half)
    yield from differs("best of all", m["best"], best)
    yield from differs("best of half", m["less"], less)
    if m["more"]:
        yield from differs("more", m["more"], 100 * (best / less - 1))


def best_picture(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    bests = []
    for model, low, high, count in re.findall(
        rf"(\S+) from ({N}) to ({N}) with (\d+) trials?", m["ends"]
    ):
        runs = _of_model(part.place, model, facts)
        values = _reached(runs)
        yield from differs(f"trials of {model}", count, len(values))
        yield from differs(f"first of {model}", low, _expected(values, 1))
        yield from differs(f"last of {model}", high, _expected(values, len(values)))
        if (best := _best(runs)) is not None:
            bests.append(_value(best) or 0.0)
    yield from differs("smallest", m["least"], min(bests))
    yield from differs("largest", m["most"] or m["least"], max(bests))


def parallel_caption(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    every = _of_model(part.place, m["model"], facts)
    inside = _inside(every)
    drawn = inside[:MOST_LINES]
    yield from differs("trials drawn", m["drawn"] or str(len(every)), len(drawn))
    if (m["best"] is not None) != (len(drawn) < len(inside)):
        yield f"{len(inside)} are done and in the space"
    best = _best(every)
    if (m["chosen"] is not None) != (best is not None and best in drawn):
        yield "the chosen one is" + (" not" if m["chosen"] else "") + " among them"


def parallel_picture(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    best = _inside(_of_model(part.place, m["model"], facts))[:MOST_LINES]
    yield from differs("trials drawn", m["trials"], len(best))
    if int(m["top"]) != max(1, len(best) // 3):
        yield "that is no third"
    choices = _choices(best[0])
    top = [_settings(run) for run in best[: int(m["top"])]]
    for told in m["told"].split("; "):
        key, _, values = told.partition(" ")
        own = {each[key] for each in top}
        if isinstance(choices[key], dict):
            ends = {min(own, key=float), max(own, key=float)}
            if set(values.split(" to ")) != ends:
                yield f"{key} is {sorted(ends)}"
        elif set(re.split(", | and ", values)) != own:
            yield f"{key} is {sorted(own)}"


def _inside(runs: list[Run]) -> list[Run]:
    """The trials of a model that are done and have all their settings in the space, the best
    first."""
    inside = [
        run
        for run in runs
        if run.state == "done"
        and all(_is_in(_choices(run)[key], value) for key, value in _settings(run).items())
    ]
    return sorted(inside, key=lambda run: (-(_value(run) or 0.0), run.spec["trial"]["number"]))


def _is_in(choice: object, value: str) -> bool:
    if isinstance(choice, dict):
        low, step = choice["low"], choice.get("step")
        steps = (float(value) - low) / step if step else 0.0
        return bool(low <= float(value) <= choice["high"] and abs(steps - round(steps)) < 1e-8)
    assert isinstance(choice, list)
    return value in [str(each).lower() if isinstance(each, bool) else str(each) for each in choice]
