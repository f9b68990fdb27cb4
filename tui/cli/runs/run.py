"""``seqbench run``: put runs into the queue, and wait for them if asked to."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import click

from engine.analysis.export import listed
from engine.config import LOCAL, SlurmProfile
from engine.datasets.confirm import confirm
from engine.errors import DataError, UsageError
from engine.machine.slots import Slot, detect_slots
from engine.order import Order, parse_lengths, parse_seeds, parse_settings, settings_text
from engine.planning import Plan, order_of_axes, plan_in_store, swept_settings
from engine.spec import Dataset
from engine.store.queries import present_fingerprints, present_runs
from engine.store.requests import enqueue_planned
from engine.supervisor.slurm.script import example_script
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.runs.following import exit_with, wait_for, wait_option
from tui.cli.session import (
    Listed,
    Session,
    flat,
    json_option,
    note,
    pass_session,
    say,
    say_json,
    say_table,
)
from tui.launch.costs.estimates import lone_text, once_text, product_text, time_text, untrained_text
from tui.shell.text import count

CHOICE = (
    click.option(
        "--model",
        "models",
        type=Listed("NAMES"),
        multiple=True,
        shell_complete=completion.models,
        help="Which models, with commas between them",
    ),
    click.option(
        "--dataset",
        "datasets",
        type=Listed("NAMES"),
        multiple=True,
        shell_complete=completion.datasets,
        help="Which data sets: synthetic,ml-100k",
    ),
    click.option(
        *("--length", "lengths"),
        metavar="NUMBERS",
        multiple=True,
        help="Sequence lengths: 50,75  [default: 50]",
    ),
    click.option(
        *("--seed", "seeds"),
        metavar="NUMBERS",
        multiple=True,
        help="Seeds: 42 or 1,2,7-9  [default: 42]",
    ),
    click.option("--profile", metavar="NAME", help="The models' recipe.  [default: reference]"),
    click.option(
        "--suite",
        metavar="NAME",
        shell_complete=completion.suites,
        help="A named set of cells; other options narrow it.",
    ),
    click.option(
        *("--set", "settings"),
        metavar="KEY=VALUE",
        multiple=True,
        shell_complete=completion.settings,
        help="A setting, such as epochs=5; lr=0.001,0.0005 runs each value.",
    ),
)
"""The options that choose runs."""


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose runs."""
    for option in reversed(CHOICE):
        command = option(command)
    return command


@click.command()
@choice_options
@click.option(
    "--launcher",
    metavar="NAME",
    shell_complete=completion.launchers,
    help="Where to run: a profile in configs/launchers, such as slurm.  [default: local]",
)
@click.option(
    "--again", is_flag=True, help="Include runs that are queued, running or done already."
)
@wait_option
@click.option("--dry-run", is_flag=True, help="Say what would be queued, and queue nothing.")
@json_option
@pass_session
def run(
    session: Session,
    models: tuple[tuple[str, ...], ...],
    datasets: tuple[tuple[str, ...], ...],
    lengths: tuple[str, ...],
    seeds: tuple[str, ...],
    profile: str | None,
    suite: str | None,
    settings: tuple[str, ...],
    launcher: str | None,
    again: bool,
    wait: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Train models on data sets, in the background.
     Queues every combination of model, data set, length and seed that doesn't exist yet, and prints
    the ids of the new runs. With --launcher they train in jobs on a cluster; --dry-run then shows
    the batch script of such a job.
    """
    cluster = asked_launcher(session, launcher)
    order = asked_order(session, models, datasets, lengths, seeds, profile, suite, settings)
    with progress("Planning runs"):
        plan, present = _plan(session, order, again)
    check_data(plan.absent_of(plan.missing), (run.spec.source for run in plan.missing))
    if dry_run:
        _say_plan(plan, present, as_json, _script(session, cluster, plan))
        if not as_json:
            _tell_models(session, plan, cluster)
            _tell_floor(plan)
        return
    queued, meanwhile = _enqueue(session, plan, cluster, again=again)
    present |= meanwhile
    if present:
        note(f"{len(present)} of {len(plan.runs)} already there (--again queues those too).")
    if queued:
        follow = "" if wait else " `seqbench watch` follows them."
        where = f"as jobs of {cluster.name}" if cluster else "in the background"
        note(f"{len(queued)} queued; they train {where}.{follow}")
    if not as_json:
        _tell_models(session, plan, cluster)
        _tell_floor(plan)
        for run_id in queued:
            say(run_id)
    there = list(present.values())
    if not wait:
        if as_json:
            say_json({"queued": queued, "present": there})
        return
    awaited = [*there, *queued]
    ended = wait_for(session, awaited)
    if as_json:
        runs = [asdict(each) for each in ended]
        say_json({"queued": queued, "present": there, "runs": runs})
    exit_with(ended, awaited)


def asked_order(
    session: Session,
    models: tuple[tuple[str, ...], ...],
    datasets: tuple[tuple[str, ...], ...],
    lengths: tuple[str, ...],
    seeds: tuple[str, ...],
    profile: str | None,
    suite: str | None,
    settings: tuple[str, ...],
) -> Order:
    """Read what the options that choose runs ask for. Raises `UsageError`."""
    catalogue = session.catalogue
    if suite is None and not (models and datasets):
        absent = "--model" if not models else "--dataset"
        names = catalogue.models if not models else catalogue.datasets
        raise UsageError(f"{absent} is needed (or --suite): choose from {', '.join(names)}.")
    return order_of_axes(
        catalogue,
        flat(models),
        flat(datasets),
        parse_lengths(",".join(lengths)) if lengths else (),
        parse_seeds(",".join(seeds)) if seeds else (),
        profile,
        parse_settings("\n".join(settings)),
        suite,
    )


def _plan(session: Session, order: Order, again: bool) -> tuple[Plan, dict[str, str]]:
    """The plan, and by fingerprint the newest of the runs that are there already.

    With ``again``, none counts as there. Raises `UsageError`.
    """
    slots = _slots(session)
    if not session.has_store:
        return plan_in_store(None, session.catalogue, order, (), slots), {}
    with session.reader() as connection:
        there_already = () if again else present_fingerprints(connection)
        planned = plan_in_store(connection, session.catalogue, order, there_already, slots)
        there = [run.fingerprint for run in planned.runs if not run.missing]
        found = {fingerprint: present_runs(connection, fingerprint) for fingerprint in there}
    return planned, {fingerprint: runs[0].id for fingerprint, runs in found.items() if runs}


def _tell_models(session: Session, plan: Plan, cluster: SlurmProfile | None) -> None:
    """Say which models overrides of training don't concern, that fitted models need one seed, and
    that other cells with a single one allow no conclusion, and how to add seeds."""
    if untrained := untrained_text(plan):
        note(f"{untrained}.")
    if once := once_text(plan):
        note(f"{once}.")
    if not plan.lone_of(plan.missing):
        return
    sentence = f"{lone_text(plan, plan.missing).capitalize()}."
    if plan.wider is None:
        note(sentence)
        return
    seeds = plan.wider.order.seeds
    more = [run for run in plan.wider.missing if run.spec.seed not in plan.order.seeds]
    cost = count(len(more), "more run")
    if cluster is None and any(run.cost for run in more):
        cost += f", time {time_text(more, _slots(session))}"
    note(f"{sentence} `--seed {','.join(map(str, seeds))}` makes it {len(seeds)} ({cost}).")


def _tell_floor(plan: Plan) -> None:
    """Say how to run the floor where there is none."""
    if not plan.floor or not plan.missing:
        return
    fitted: dict[str, list[str]] = {}  # which models, by data set
    for run in plan.floor:
        fitted.setdefault(run.spec.dataset, []).append(run.spec.model)
    length = str(plan.floor[0].spec.length)
    for models in dict.fromkeys(map(tuple, fitted.values())):
        datasets = [dataset for dataset, some in fitted.items() if tuple(some) == models]
        options = ("--model", ",".join(models), "--dataset", ",".join(datasets), "--length", length)
        command = shlex.join(["seqbench", "run", *options])
        note(f"No floor of {listed(datasets)} yet: `{command}` fits one.")


def _slots(session: Session) -> list[Slot]:
    return detect_slots(session.catalogue.settings.slots)


def check_data(absent: Sequence[Dataset], sources: Iterable[Dataset]) -> None:
    """Say which data sets aren't what their entries say. Raises `DataError` before anything is
    queued that could only fail.

    Args:
        absent: those of the runs' ``sources`` that are not on this machine.
    """
    if not absent:
        _check_copies(sources)
        return
    names = " ".join(dataset.name for dataset in absent)
    titles = " and ".join(dataset.title for dataset in absent)
    size = sum(dataset.archive.bytes for dataset in absent if dataset.archive) / 1e6
    raise DataError(
        f"{titles} {'is' if len(absent) == 1 else 'are'} not on this machine: `seqbench data fetch "
        f"{names}` downloads {size:.1f} MB, or set SEQBENCH_DATA to the folder that has the data; "
        "nothing was queued."
    )


def _check_copies(sources: Iterable[Dataset]) -> None:
    """Say of each data set once if the copy here isn't what its entry says. Raises `DataError` if
    no run may train on it."""
    for source in {source.name: source for source in sources}.values():
        found = confirm(source)
        if found is not None and not found.usable:
            raise DataError(f"{found.sentence} Nothing was queued.")
        if found is not None and found.confirmed is False:
            note(found.sentence)


def asked_launcher(session: Session, name: str | None) -> SlurmProfile | None:
    """The profile that is asked for; ``None`` is this machine. Raises `UsageError`."""
    if name is None or name.strip().lower() == LOCAL:
        return None
    return session.catalogue.launcher(name)


def _script(session: Session, profile: SlurmProfile | None, plan: Plan) -> str | None:
    """What would be submitted for the first of the runs."""
    if profile is None or not plan.missing:
        return None
    first = plan.missing[0].spec
    run_id = f"{first.model}-{first.dataset}-l{first.length}-s{first.seed}-xxxxx"
    return example_script(profile, session.location.folder(run_id))


def _enqueue(
    session: Session, plan: Plan, profile: SlurmProfile | None, *, again: bool
) -> tuple[list[str], dict[str, str]]:
    """Queue what is missing; return the ids, and by fingerprint the runs that others have queued
    meanwhile. With ``again`` these are queued, too."""
    if not plan.missing:
        return [], {}
    place = profile.name if profile else None
    with progress("Queueing runs"):
        ids = enqueue_planned(session.location, plan.missing, plan.label, place, again=again)
    with session.reader() as connection:
        if len(ids) == len(plan.missing):
            return ids, {}
        wanted = [run.fingerprint for run in plan.missing]
        found = {each: present_runs(connection, each) for each in wanted}
    return ids, {each: runs[0].id for each, runs in found.items() if runs and runs[0].id not in ids}


def _say_plan(plan: Plan, present: dict[str, str], as_json: bool, script: str | None) -> None:
    listed: list[dict[str, Any]] = [
        {
            "model": run.spec.model,
            "dataset": run.spec.dataset,
            "length": run.spec.length,
            "seed": run.spec.seed,
            "profile": run.spec.recipe,
            "refit": run.spec.training.refit,
            "swept": swept_settings(plan.order.overrides, run.spec),
            "parameters": run.parameters,
            "present": present.get(run.fingerprint),
        }
        for run in plan.runs
    ]
    if as_json:
        say_json(listed if script is None else {"plan": listed, "script": script})
        return
    keys = list(plan.swept)
    rows = [
        [
            *(p["model"], p["dataset"], p["length"], p["seed"], p["profile"]),
            *(settings_text(p["swept"]).get(key, "–") for key in keys),
            f"{p['parameters']:,}",
            f"skip: {p['present']}" if p["present"] else f"queue{' its refit' * p['refit']}",
        ]
        for p in listed
    ]
    say_table(
        ["MODEL", "DATASET", "LENGTH", "SEED", "PROFILE", *keys, "PARAMETERS", "WOULD"],
        rows,
        right=" ".join(["LENGTH SEED PARAMETERS", *keys]),
    )
    if keys:
        note(f"{product_text(plan)} {count(len(plan.runs), 'run')}.")
    if script is not None:
        say()
        for line in script.splitlines():
            say(line)
