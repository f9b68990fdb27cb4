"""The section on how settings were chosen: budgets, and what the trials of studies tell."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from engine.analysis.columns.text import figure
from engine.analysis.tuning.studies import StudyReport, Tuned
from engine.analysis.tuning.text import (
    OF_BEST,
    OF_IMPORTANCE,
    best_text,
    budget_sentence,
    chance_text,
    more_budget,
    study_sentence,
)
from engine.order import settings_text
from engine.report.blocks import Block, Paragraph, Plot, Section, Subheading, table
from engine.report.gather import DataGroup, Material
from engine.report.plots import Colours
from engine.report.tuning_plots import (
    best_alt,
    best_plot,
    drawn_trials,
    parallel_alt,
    parallel_caption,
    parallel_plot,
)
from engine.report.wording import ABSENT, slug
from engine.spread import spread
from engine.tuning.ask import Settings
from engine.tuning.found import best_first

MOST_LISTED = 20
"""Most trials of a model in the report."""

LEAST_DRAWN = 3
"""Fewest trials that are drawn as lines over their settings."""


def tuning(material: Material, looks: Colours) -> Section:
    """Make the section; empty if nobody states the budget of any cell."""
    sentences = [_budgets(group) for group in material.groups]
    blocks: list[Block] = [Paragraph(each) for each in sentences if each]
    blocks += [Paragraph(each, quiet=True) for each in material.untold_studies]
    for study in material.studies:
        blocks += _study(study, looks)
    if material.studies:
        blocks.append(Paragraph(OF_BEST, quiet=True))
    if any(study.importances for study in material.studies):
        blocks.append(Paragraph(OF_IMPORTANCE, quiet=True))
    return Section("How settings were chosen", tuple(blocks))


def _budgets(group: DataGroup) -> str:
    """Compare the budgets of trained cells; fitted ones try their settings by themselves."""
    told: dict[str, float | None] = {}
    for each in group.cells:
        runs = each.cell.runs
        if any(run["objective"] == "fitted" for run in runs):
            continue
        known = spread(run["Trials"] for run in runs)
        told[each.label] = known.mean if known else None
    return budget_sentence(group.title, told)


def _study(study: StudyReport, looks: Colours) -> Iterator[Block]:
    progress = study.found.progress
    title = f"{study.found.name}: {progress.first.dataset}, L = {progress.first.length}"
    yield Subheading(f"Study {title}")
    yield Paragraph(study_sentence(study))
    yield table(
        [
            "model",
            "trials",
            "pruned",
            "failed",
            "tuning, s",
            "recipe",
            "chosen",
            "trial",
            "settings",
        ],
        [_chosen(study, each) for each in study.models],
        figures=range(1, 8),
        caption="What was chosen of each model, by validation NDCG@10",
    )
    tried = [each for each in study.models if each.reached]
    if not tried:
        return
    budgets = sorted({best.trials for each in tried for best in each.told})
    yield table(
        ["model", *(f"best of {budget}" for budget in budgets)],
        [[each.model.model, *_expected(each, budgets)] for each in tried],
        figures=range(1, 1 + len(budgets)),
        caption="Expected best validation NDCG@10 of so many trials",
    )
    sentences = [sentence for each in tried if (sentence := more_budget(each))]
    if sentences:
        yield Paragraph(" ".join(sentences))
    name = f"best-{slug(study.found.name)}"
    yield Plot(
        name=name,
        draw=partial(best_plot, name, tried, looks),
        alt=best_alt(tried, title),
        caption=f"{study.found.name}: the expected best of n with the interval of 95 % of draws; "
        "each trial in its order, filled if it was trained to its end, with the best so far",
    )
    if study.problem:
        yield Paragraph(f"Importance of settings isn't told: {study.problem}", quiet=True)
    elif study.importances:
        yield _importances(study)
    for each in tried:
        yield from _trials(study, each, looks)


def _chosen(study: StudyReport, each: Tuned) -> list[str]:
    progress = study.found.progress
    recipe, best = next(iter(each.trials), None), each.best
    text = "" if best is None else _settings(progress.settings(each.model, best))
    return [
        each.model.model,
        str(len(each.trials)),
        str(each.pruned),
        str(sum(trial.state == "failed" for trial in each.trials)),
        figure(each.seconds, "seconds"),
        figure(recipe.value, "metric") if recipe and recipe.can_be_chosen else ABSENT,
        figure(best.value, "metric") if best else ABSENT,
        str(best.number) if best else ABSENT,
        text,
    ]


def _settings(settings: Settings) -> str:
    return " ".join(f"{key}={value}" for key, value in settings_text(settings).items())


def _expected(each: Tuned, budgets: list[int]) -> Iterator[str]:
    told = {best.trials: best for best in each.told}
    for budget in budgets:
        yield best_text(told[budget]) if budget in told else ""


def _importances(study: StudyReport) -> Block:
    rows = [
        [model, each.setting, f"{100 * each.share:.0f} %", chance_text(each)]
        for model, known in study.importances.items()
        for each in known
    ]
    head = ["model", "setting", "importance", "by chance"]
    return table(head, rows, figures=(2, 3), caption="Importance of settings")


def _trials(study: StudyReport, each: Tuned, looks: Colours) -> Iterator[Block]:
    progress, model = study.found.progress, each.model.model
    tried = {trial.run: progress.settings(each.model, trial) for trial in each.trials}
    drawn = drawn_trials(each, tried)
    if len(drawn) >= LEAST_DRAWN:
        name = f"settings-{slug(study.found.name)}-{slug(model)}"
        yield Plot(
            name=name,
            draw=partial(parallel_plot, name, each, drawn, looks),
            alt=parallel_alt(each, drawn),
            caption=f"{study.found.name}, {model}: {parallel_caption(each, drawn)}",
        )
    shown = sorted(each.trials, key=best_first)[:MOST_LISTED]
    names = list(each.model.space)
    yield table(
        ["trial", "state", "valid NDCG@10", "best epoch", "s", *names],
        [
            [
                str(trial.number),
                trial.standing,
                figure(trial.value, "metric"),
                str(trial.best_epoch or "–"),
                figure(trial.seconds, "seconds"),
                *settings_text(tried[trial.run]).values(),
            ]
            for trial in shown
        ],
        figures=(0, 2, 3, 4, *range(5, 5 + len(names))),
        caption=f"Trials of {model} in {study.found.name}, the best first",
    )
    if len(shown) < len(each.trials):
        yield Paragraph(
            f"{len(each.trials) - len(shown)} more: `seqbench studies show {study.found.name}`.",
            quiet=True,
        )
