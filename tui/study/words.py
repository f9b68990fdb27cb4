"""What is said of a study: how far it is, what each model has reached, what follows. No widget
here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from textual.content import Content

from engine.order import settings_text
from engine.spec import TunedModel
from tui.charts.marks import HOLLOW
from tui.shell.standing import study_style
from tui.shell.text import TITLE, count, duration, fitting, number, plain, shorten
from tui.shell.theme import SERIES
from tui.study.reading import StudyFound

MUTED = "$text-muted"

SHORTEST_NAME = 12
"""Cells that are left of a study's name in any case."""


def mark_of(index: int) -> str:
    """Return the mark of the points of a study's model."""
    return HOLLOW[index % len(HOLLOW)]


def style_of(index: int) -> str:
    """Return the colour of a study's model."""
    return SERIES[index % len(SERIES)]


def status(found: StudyFound, width: int) -> Content:
    """Say which study it is and how far, in a line of ``width`` terminal cells: a long name is cut,
    and how it searches is left out where there is no room."""
    progress, study = found.progress, found.progress.study
    paused = f", {found.paused} paused" if found.paused else ""
    trained = found.ended - found.paused
    pruning = "" if study.prune == "none" else f", {study.prune}"
    place = f"  {plain(progress.first.dataset, TITLE)} × {progress.first.length}  "
    far = f"  {trained} of {count(progress.all_trials, 'trial')} ended{paused}"
    search = f"  {study.sampler}{pruning}, seed {study.seed}"
    name, rest = plain(study.name, TITLE), sum(map(cell_len, (place, found.state, far)))
    return Content.assemble(
        (shorten(name, max(width - rest, SHORTEST_NAME)), "bold"),
        (place, MUTED),
        (found.state, study_style(found.state)),
        far,
        (search if cell_len(name) + rest + cell_len(search) <= width else "", MUTED),
    )


def models(found: StudyFound, width: int) -> Content:
    """Write a line of ``width`` terminal cells for each model: its mark in the charts, the budget
    that it has used, its best trial or what was chosen, and with which settings."""
    names = [plain(model.model, TITLE) for model in found.progress.study.models]
    longest = max(map(cell_len, names))
    lines = []
    for index, model in enumerate(found.progress.study.models):
        name = names[index] + " " * (longest - cell_len(names[index]))
        head = f"{mark_of(index)} {name}"
        said = fitting(list(_said_of(found, model)), max(width - cell_len(head) - 2, 1))
        lines.append(Content.assemble((head, style_of(index)), f"  {said}"))
    return Content("\n").join(lines)


def _said_of(found: StudyFound, model: TunedModel) -> Iterator[str]:
    progress, study = found.progress, found.progress.study
    trials, seconds = len(progress.of_model(model)), progress.seconds(model)
    of = "" if study.minutes is None else f" of {duration(60 * study.minutes)}"
    yield f"{trials}/{study.trials} trials"
    best, settings = progress.best(model), ""
    if best is not None:
        word = "chosen" if progress.over else "best"
        yield f"{word} {number(best.value)} (trial {best.number})"
        pairs = settings_text(progress.settings(model, best)).items()
        settings = plain(" ".join(f"{name}={value}" for name, value in pairs))
    finals = [run for run in found.finals if run.model == model.model]
    done = sum(run.state == "done" for run in finals)
    if done < len(finals):
        yield f"{done}/{len(finals)} final seeds"
    if progress.over:
        yield settings  # it was chosen for them: before what it took
    if seconds or of:
        yield f"{duration(seconds)}{of}"
    if not progress.over:
        yield settings


def sentences(found: StudyFound, verdict: str = "") -> Sequence[str]:
    """Say what the values are of, or what follows.

    Args:
        verdict: of a duel, what it has come to.
    """
    study = found.progress.study
    if verdict:
        return [verdict]
    seeds = count(study.final_seeds, "fresh seed")
    if found.is_duel:
        seeds = f"{study.final_seeds} to {study.duel} fresh seeds, until the paired test decides"
    if found.state == "tuning":
        then = f" The best of each model then gets {seeds}." if study.final_seeds else ""
        return [f"All metrics are on validation.{then}"]
    if found.state == "stopping":
        then = f"; the best so far then gets {seeds}" if study.final_seeds else ""
        return [f"It makes no further trial{then}."]
    if not found.progress.chosen():
        return ["No trial was trained to its end: nothing is chosen."]
    compared = f"Compare has what it chose as the profile {study.profile}." if found.finals else ""
    return [compared, f"`seqbench tune --keep {study.name}` writes it as a recipe."]
