"""Sentences and figures about studies, for the report and the commands."""

from __future__ import annotations

from collections.abc import Mapping

from engine.analysis.columns.text import figure
from engine.analysis.export import listed
from engine.analysis.tuning.best import BestOf, best_of
from engine.analysis.tuning.studies import StudyReport, Tuned
from engine.budget import BY_HAND
from engine.tuning.importance import LEAST, SHUFFLES, TOP, Importance

OF_BEST = (
    "The best of n is what n trials are expected to give: n draws from what the trials here "
    "reached (Dodge et al. 2019), in brackets where the best of 95 % of such draws lies. A failed "
    "trial counts as 0, a pruned one with what it had reached, a cancelled one not at all. The "
    "draws are independent, and the sampler's aren't: of one that learns it is a description of "
    "its trials. For n close to all trials it is low, as a trial may be drawn twice."
)


OF_IMPORTANCE = (
    "Importance is Optuna's PED-ANOVA (Watanabe et al. 2023): how much a setting's values among "
    f"the best {TOP} trials (of very many the best tenth) differ from those among all, as a share "
    f"of all settings. It is told of models with {LEAST} trials in the space or more. “By chance” "
    f"is the share of {SHUFFLES} shuffles of what the trials reached in which the setting's "
    "importance is as large: where that isn't small, it may be nothing but chance."
)


def chance_text(found: Importance) -> str:
    """Write how often chance does as much."""
    return f"{100 * found.by_chance:.0f} %"


_SAMPLERS = {
    "tpe": "chosen by those before (tree-structured Parzen estimator)",
    "random": "drawn at random",
    "grid": "every combination in order",
}


def study_sentence(study: StudyReport) -> str:
    """Say how a study searched, and how far it is."""
    found, of = study.found, study.found.progress.study
    trials = "1 trial" if of.trials == 1 else f"{of.trials:,} trials"
    minutes = f" or {of.minutes:g} minutes of training" if of.minutes is not None else ""
    pruning = "none is pruned" if of.prune == "none" else "pruned by successive halving"
    return (
        f"At most {trials}{minutes} of each model: the recipe as it stands, then settings "
        f"{_SAMPLERS[of.sampler]}, seed {of.seed}; {pruning}. {found.ended:,} of "
        f"{found.progress.all_trials:,} trials ended; state: {found.state}. No trial is evaluated "
        "on test."
    )


def best_text(best: BestOf) -> str:
    """Write the expected best of some trials: ``.1612 [.1530, .1688]`` with all digits."""
    return f"{best.mean:.4f} [{best.low:.4f}, {best.high:.4f}]"


def more_budget(found: Tuned) -> str:
    """Say what the second half of a model's trials is worth; empty of fewer than four."""
    every = len(found.reached)
    if every < 4:
        return ""
    half, whole = (best_of(found.reached, trials).mean for trials in (every // 2, every))
    more = f"{100 * (whole / half - 1):.1f} % more than " if half else ""
    return (
        f"{found.model.model}: the best of {every} trials is expected to be {whole:.4f}, "
        f"{more}that of {every // 2}, {half:.4f}."
    )


def budget_sentence(title: str, budgets: Mapping[str, float | None]) -> str:
    """Say whether the settings of a data set's cells were chosen with the same budget; empty if
    nobody says it of any.

    Args:
        budgets: trials by the cell's label; 0 by hand, ``None`` where nobody says it.
    """
    alike: dict[str, list[str]] = {}
    for label, trials in budgets.items():
        alike.setdefault(_budget_text(trials), []).append(label)
    if not alike.keys() - {NOT_STATED}:
        return ""
    if len(alike) == 1:
        return f"{title}: the settings of every trained cell were chosen {next(iter(alike))}."
    told = "; ".join(f"{budget}: {listed(labels)}" for budget, labels in alike.items())
    return (
        f"{title}: settings were chosen with different budgets, so that a difference between cells "
        f"may be one between budgets. {told[0].upper()}{told[1:]}."
    )


NOT_STATED = "with a budget that nobody states"


def _budget_text(trials: float | None) -> str:
    if trials is None:
        return NOT_STATED
    if not trials:
        return BY_HAND
    return "with 1 trial" if trials == 1 else f"with {figure(trials, 'trials')} trials"
