"""What a study will cost, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from textual.content import Content

from engine.config import SlurmProfile
from engine.machine.slots import Slot
from engine.planning import ModelCost, StudyCost
from engine.spec import Study
from tui.launch.cluster import jobs_text
from tui.launch.costs.estimates import NOT_YET, SOURCES
from tui.shell.text import count, duration, plain

LABEL = 11
"""Terminal cells of a model's title before its line."""


def cost_facts(
    cost: StudyCost, title: Callable[[str], str], launcher: SlurmProfile | None, measuring: str
) -> Iterable[tuple[str, Content | str]]:
    """Write a line for each model: what its budget is, and how long that takes here; then from what
    that is known, or what the runs get.

    Args:
        title: names a model.
        launcher: the cluster that the runs go to; ``None`` is this machine.
        measuring: says what is being measured.
    """
    for each in cost.models:
        text = _model_text(each, cost.study, timed=launcher is None)
        yield plain(title(each.model), LABEL), text
    if launcher is not None:
        yield "Where", jobs_text(cost.runs, launcher)
        return
    sources = dict.fromkeys(SOURCES[each.cost.source] for each in cost.models if each.cost)
    known = [f"{', '.join(sources)}, as if each trial cost what the recipe does"] if sources else []
    if parts := [*known, *filter(None, [measuring])]:
        yield "Estimate", Content.styled("; ".join(parts), "$text-muted")


def _model_text(each: ModelCost, study: Study, *, timed: bool) -> str:
    finals = count(study.final_seeds, "run")
    if not timed or each.seconds is None or each.final_seconds is None:
        minutes = f" or {study.minutes:g} min" if study.minutes is not None else ""
        parts = [count(study.trials, "trial") + minutes]
        return ", then ".join([*parts, *([f"{finals} of the best"] if study.final_seeds else [])])
    about = "about" if each.stops_early else "at most"
    text = f"{count(study.trials, 'trial')}, {about} {duration(each.seconds)}"
    if each.trials < study.trials:
        least = "" if each.stops_early else "at least "
        trials = f"{least}{each.trials:,} of {count(study.trials, 'trial')}"
        text = f"{trials}, about {duration(each.seconds)}"
    if study.final_seeds:
        text += f"; then {finals}, {about} {duration(study.final_seeds * each.final_seconds)}"
    return text


def total_text(cost: StudyCost, slots: Sequence[Slot], launcher: SlurmProfile | None) -> str:
    """Write how many runs a study has, and how long they take in this machine's slots."""
    runs = count(cost.runs, "run")
    if launcher is not None:
        return runs
    seconds = cost.seconds(slots) if slots else None
    if seconds is None:
        return f"{runs}, time {NOT_YET}"
    about = "about" if all(each.stops_early for each in cost.models) else "at most"
    return f"{runs}, {about} {duration(seconds)} in {count(len(slots), 'slot')}"
