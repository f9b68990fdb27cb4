"""A study's trials and final runs as rows of a table. No widget here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.order import settings_text
from tui.shell.standing import sign, style
from tui.shell.text import ABSENT, TITLE, duration, epochs_text, number, plain, whole
from tui.study.reading import (
    Run,
    StoredTrial,
    StudyFound,
    StudyPage,
    best_first,
    setting_names,
    settings_of,
)
from tui.widgets.table_cells import Cell, TableColumn, TableRow

ORDERS = ("best first", "newest first")
"""How trials may be listed."""

SORTED_BY = ("valid", "trial")
"""By which column they are then."""

_FIGURES = (
    TableColumn("valid", ("valid", "NDCG@10"), 8, right=True),
    TableColumn("best", ("best", "epoch"), 5, right=True),
    TableColumn("epoch", ("", "epoch"), 7, right=True),
    TableColumn("time", ("", "time"), 8, right=True),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A trial, or a run of what the study chose."""

    run: str
    label: str
    model: str
    standing: str
    value: float | None
    best_epoch: int | None
    epochs: str
    seconds: float | None = None
    settings: dict[str, str] = field(default_factory=dict)
    chosen: bool = False
    """Whether it is the best trial of its model so far."""


def entries(page: StudyPage, order: int) -> list[Entry]:
    """List the trials, those in training first where the best come first, and then the runs of what
    was chosen.

    Args:
        order: an index of `ORDERS`.
    """
    found = page.found
    chosen = {each.best.run for each in found.progress.chosen()}
    key = _newest_first if order else _best_first
    trials = sorted(found.progress.trials, key=key)
    return [
        *(_of_trial(found, trial, trial.run in chosen) for trial in trials),
        *(_of_final(run, page.final_seconds.get(run.id)) for run in found.finals),
    ]


def table_columns(found: StudyFound | None) -> list[TableColumn]:
    """Return the table's columns: which trial it is and how it stands stay at the left."""
    several = found is not None and len(found.progress.study.models) > 1
    return [
        TableColumn("trial", ("", "trial"), 6, right=True, fixed=True),
        *([TableColumn("model", ("", "model"), 7, fixed=True)] if several else []),
        TableColumn("state", ("", "state"), 9, fixed=True),
        *_FIGURES,
        *(TableColumn(f"set {name}", ("", plain(name, TITLE)), len(name), right=True)
          for name in (setting_names(found.progress.study) if found else ())),
    ]  # fmt: skip


def table_rows(found: StudyFound, shown: Sequence[Entry]) -> list[TableRow]:
    """Draw rows of the table."""
    several, names = len(found.progress.study.models) > 1, setting_names(found.progress.study)
    return [
        TableRow(
            entry.run,
            (
                Cell(entry.label, "strong" if entry.chosen else ""),
                *([Cell(plain(entry.model, TITLE))] if several else []),
                Cell(
                    f"{sign(entry.standing)} {plain(entry.standing)}",
                    style(entry.standing).removeprefix("$"),
                ),
                Cell(number(entry.value), "best" if entry.chosen else ""),
                Cell(whole(entry.best_epoch)),
                Cell(entry.epochs),
                Cell(duration(entry.seconds)),
                *(Cell(plain(entry.settings.get(name, ""), TITLE)) for name in names),
            ),
        )
        for entry in shown
    ]


def _best_first(trial: StoredTrial) -> tuple[bool, bool, float, int]:
    return trial.standing != "running", *best_first(trial)


def _newest_first(trial: StoredTrial) -> tuple[bool, bool, float, int]:
    return False, False, 0.0, -trial.number


def _of_trial(found: StudyFound, trial: StoredTrial, chosen: bool) -> Entry:
    limit = trial.spec.get("training", {}).get("epochs", ABSENT)
    return Entry(
        run=trial.run,
        label=str(trial.number),
        model=trial.model,
        standing=trial.standing,
        value=trial.value,
        best_epoch=trial.best_epoch,
        epochs=f"{trial.epoch}/{limit}" if trial.epoch else ABSENT,
        seconds=trial.seconds or None,
        settings=settings_text(settings_of(found.progress, trial)),
        chosen=chosen,
    )


def _of_final(run: Run, seconds: float | None) -> Entry:
    return Entry(
        run=run.id,
        label=f"seed {run.seed}",
        model=run.model,
        standing=run.state,
        value=run.best_valid_ndcg,
        best_epoch=run.best_epoch,
        epochs=epochs_text(run) if run.epoch else ABSENT,
        seconds=seconds,
    )
