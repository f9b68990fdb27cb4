"""``seqbench show``: everything about one run."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from engine.analysis.columns.text import figure
from engine.analysis.labels.stored import label_of_run
from engine.analysis.pairs.users import UserIntervals
from engine.analysis.provenance import EVALUATED, model_file_of
from engine.analysis.quality import DEFAULT, parse_quality
from engine.analysis.run.beyond import completing, result_tables
from engine.analysis.run.details import RunDetails, run_details
from engine.analysis.run.further import further_command
from engine.analysis.run.otherrules import NOTE, other_rules
from engine.analysis.run.relaunch import recipe_of
from engine.analysis.run.remedy import remedy
from engine.evaluated import ceiling_of, evaluated_of
from engine.fitted import chosen_settings, combination_text, is_fitted
from engine.lifecycle import DIED
from engine.marks import MEANING, STILL_IMPROVING
from engine.metrics import RUN_ENERGY
from engine.store.compare.grouping import Choice
from engine.store.jobs import job_of
from engine.store.queries import Run, resolve_run
from tui.cli import completion
from tui.cli.session import Session, json_option, pass_session, say, say_fact, say_json
from tui.shell.text import ago, duration, number, whole

METRICS = ("hit", "recall", "mrr", "ndcg")


@click.command()
@click.argument("name", metavar="RUN", shell_complete=completion.runs())
@json_option
@pass_session
def show(session: Session, name: str, as_json: bool) -> None:
    """Show one run: state, metrics, settings and attempts.
    RUN is an id, or enough of its beginning or end to be unique.
    """
    with session.reader() as connection:
        details = run_details(connection, resolve_run(connection, name).id)
        assert details is not None
        intervals = _intervals(session, connection, details)
        label = label_of_run(connection, Choice(), details.run.id, session.catalogue_if_valid)
        further = _further(session, connection, details.run)
    if as_json:
        about = {"label": label, "further": further}
        say_json(_as_json(details, intervals) | about)
    else:
        _say_details(session, details, intervals, label, further)


def _intervals(
    session: Session, connection: sqlite3.Connection, details: RunDetails
) -> UserIntervals | None:
    """Read the intervals of a run's test metrics; ``None`` of one that has no ranks of users."""
    if details.run.state != "done":
        return None
    from engine.analysis.pairs.cells import intervals  # loads numpy: not before it is needed

    found = intervals(connection, session.location, [details.run.id])
    return found if isinstance(found, UserIntervals) else None


def _as_json(details: RunDetails, intervals: UserIntervals | None) -> dict[str, Any]:
    run = details.run
    return {
        **asdict(run),
        "progress": run.progress,
        "eta_seconds": run.eta_seconds,
        "spec": dict(details.spec),
        "figures": dict(details.figures),
        "over_users": None if intervals is None else _over_users(intervals),
        "provenance": dict(details.provenance),
        "evaluated": asdict(evaluated) if (evaluated := evaluated_of(details.started)) else None,
        "epochs_table": [dict(row) for row in details.epochs],
        "attempts": [dict(row) for row in details.attempts],
        "warnings": list(details.warnings),
        "evaluations": dict(details.evaluations),
    }


def _over_users(intervals: UserIntervals) -> dict[str, Any]:
    ends = {f"test_{metric}_best": list(intervals.ends[metric]) for metric in METRICS}
    return {"users": intervals.users, "intervals": ends, "warning": intervals.warning or None}


def _say_details(
    session: Session,
    details: RunDetails,
    intervals: UserIntervals | None,
    label: str,
    further: str | None,
) -> None:
    run = details.run
    say(run.id)
    why = f": {run.message or run.cause}" if run.message or run.cause else ""
    say_fact("state", f"{run.state}{why}")
    say_fact("cell", f"{run.model} × {run.dataset} × {run.length}, seed {run.seed}")
    if label:
        say_fact("differs in", label)
    say_fact("profile", f"{run.profile}{f', suite {run.suite}' if run.suite else ''}")
    if file := model_file_of(details.spec):
        say_fact("model file", file)
    say_fact("parameters", whole(run.parameters))
    eta = f", ETA {duration(run.eta_seconds)}" if run.eta_seconds is not None else ""
    reached, best = run.epoch or 0, run.best_epoch or "–"
    if is_fitted(details.spec):
        say_fact("combinations", f"{reached} of {run.epochs or '–'}, best {best}{eta}")
        if chosen := chosen_settings(details.epochs, run.best_epoch):
            say_fact("chosen", combination_text(chosen))
    else:
        say_fact("epochs", f"{reached} of at most {run.epochs}, best {best}{eta}")
    where = f" for {run.launcher}" if run.launcher else ""
    say_fact("queued", f"{ago(run.created)}{where}")
    if run.started:
        took = f", took {duration(run.finished - run.started)}" if run.finished else ""
        say_fact("started", f"{ago(run.started)} on {run.device}{took}")
    for attempt in details.attempts:
        if (job := job_of(attempt)) is not None:
            say_fact(f"attempt {attempt['attempt']}", job.text)
    if continued := details.spec.get("continues"):
        say_fact("continues", str(continued))
    if run.refits:
        say_fact("refits", run.refits)
    if run.origin:
        how = run.origin.removeprefix("imported-")
        say_fact("imported", f"{how}, {details.spec.get('came_from')}")
    for mark in (run.marks or "").split():
        say_fact("marked", f"{mark}: {MEANING.get(mark, '')}")
    if further:
        say_fact("what to try", further)
    if run.note:
        say_fact("note", run.note)
    if run.study:
        say_fact("trial", f"{run.trial} of {run.study}")
    splits = ("valid",) if run.study else ("valid", "test")
    if details.figures.get(f"{splits[-1]}_ndcg_best") is not None:
        say()
        say(
            f"{'at the chosen epoch':<22}{'HitRate':>11}{'Recall':>11}{'MRR':>11}{'NDCG':>11}   @10"
        )
        for split in splits:
            for ranking, meaning in (("", "all items"), ("_masked", "seen masked")):
                figures = [details.figures.get(f"{split}_{m}{ranking}_best") for m in METRICS]
                texts = "".join(f"{_metric(figure):>11}" for figure in figures)
                say(f"{f'{split}, {meaning}':<22}{texts}")
                if intervals is not None and (split, ranking) == ("test", ""):
                    spans = "".join(f"{intervals.text(metric):>11}" for metric in METRICS)
                    say(f"{'  95 % over users':<22}{spans}")
        if intervals is not None and intervals.warning:
            say_fact("careful", intervals.warning)
        if (evaluated := evaluated_of(details.started)) and evaluated.words:
            say_fact("evaluated", evaluated.words)
        if not run.study and (ceiling := ceiling_of(details.started)) and ceiling.cold:
            say_fact("test is", ceiling.words)
        for table in result_tables(details.figures):
            say()
            for label, texts in table.lines:
                say(f"{label:<22}{texts}")
        if more := completing(run.id, details.figures):
            say(more)
        if (elsewhere := other_rules(details.evaluations.values())) is not None:
            say()
            for label, texts in elsewhere.lines:
                say(f"{label:<22}{texts}")
            say(NOTE)
        say()
        if (loss := _float(details.figures.get("loss_best"))) is not None:
            say_fact("loss", f"{number(loss)} nats per target")
    part = "combination" if is_fitted(details.spec) else "epoch"
    if (seconds := details.figures.get("train_seconds_median")) is not None:
        cpu = details.figures.get("cpu_seconds_median")
        told = f", {figure(cpu, 'seconds')} s of CPU time" if cpu is not None else ""
        say_fact(f"time per {part}", f"{figure(seconds, 'seconds')} s{told} (medians)")
    if (parts := details.figures.get("joules_of")) is not None:
        epoch, best, every = (figure(details.figures.get(name), "real") for name in RUN_ENERGY)
        text = f"{epoch} J per {part} (median), {best} J to the chosen one, {every} J in all"
        say_fact("energy", f"{text} ({parts})")
        if (quality := details.figures.get("joules_to_quality")) is not None:
            say_fact("", f"{figure(quality, 'real')} J to {parse_quality(DEFAULT).title}")
    if (speed := details.figures.get("users_per_second_1")) is not None:
        many = details.figures.get("users_per_second_256")
        say_fact("users per second", f"{_whole(speed)} (batch 1), {_whole(many)} (batch 256)")
    _say_mapping("settings", _settings(details.spec))
    shown = {"settings", *EVALUATED[1:], *(["dtype"] if is_fitted(details.spec) else [])}
    own = {name: value for name, value in details.provenance.items() if name not in shown}
    _say_mapping("comparable by", own)
    for warning in details.warnings:
        say_fact("warning", warning)
    if run.state in DIED:
        _say_remedy(session, details)
    say_fact("folder", str(session.location.runs / run.id))


def _further(session: Session, connection: sqlite3.Connection, run: Run) -> str | None:
    """The command that trains further, if the run is still improving at its limit."""
    if STILL_IMPROVING not in (run.marks or "").split():
        return None  # without the configuration, which takes a moment to read
    return further_command(connection, session.location, run, session.catalogue)


def _say_remedy(session: Session, details: RunDetails) -> None:
    found = remedy(details.run.cause, details.spec, recipe_of(details.spec, session.catalogue))
    say_fact("what to try", found.advice)
    if found.change:
        changes = "".join(f" --set {change}" for change in found.change.split())
        say_fact("", f"seqbench retry {details.run.id}{changes}")
    if found.retry:
        say_fact("", f"seqbench retry {details.run.id}")


def _say_mapping(title: str, values: Mapping[str, Any]) -> None:
    known = [f"{key}={value}" for key, value in values.items() if value is not None]
    if known:
        say_fact(title, ", ".join(known))


def _settings(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A run's settings, without those of training if its model is fitted."""
    return {**spec.get("architecture", {}), **({} if is_fitted(spec) else spec.get("training", {}))}


def _metric(value: object) -> str:
    return number(_float(value))


def _whole(value: object) -> str:
    number = _float(value)
    return whole(None if number is None else round(number))


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
