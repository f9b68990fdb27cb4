"""``seqbench run``: put runs into the queue, and wait for them if asked to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from engine.errors import DataError, UsageError
from tui.commands.session import (
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

if TYPE_CHECKING:
    from engine.config import SlurmProfile
    from engine.spec import Overrides, RunSpec, Suite
    from engine.store.queries import Run

DEFAULT_LENGTHS = (50,)
DEFAULT_SEEDS = (42,)


CHOICE = (
    click.option("--model", "models", type=Listed("NAMES", str), multiple=True, help="a,b,…"),
    click.option("--dataset", "datasets", type=Listed("NAMES", str), multiple=True, help="a,b,…"),
    click.option(
        *("--length", "lengths"),
        type=Listed("NUMBERS", int),
        multiple=True,
        help="50,75,…  [default: 50]",
    ),
    click.option(
        "--seed", "seeds", type=Listed("NUMBERS", int), multiple=True, help="1,2,…  [default: 42]"
    ),
    click.option("--profile", metavar="NAME", help="The models' recipe.  [default: reference]"),
    click.option("--suite", metavar="NAME", help="A named set of cells; other options narrow it."),
    click.option(
        "--set", "settings", metavar="KEY=VALUE", multiple=True, help="A setting, such as epochs=5."
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
    help="Where: a profile in configs/launchers, such as slurm.  [default: local]",
)
@click.option("--again", is_flag=True, help="Also what is queued, running or done already.")
@click.option("--wait", is_flag=True, help="Follow the runs; exit with 1 if one isn't done.")
@click.option("--dry-run", is_flag=True, help="Say what would be queued, and queue nothing.")
@json_option
@pass_session
@click.pass_context
def run(
    ctx: click.Context,
    session: Session,
    models: tuple[tuple[str, ...], ...],
    datasets: tuple[tuple[str, ...], ...],
    lengths: tuple[tuple[int, ...], ...],
    seeds: tuple[tuple[int, ...], ...],
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

    Queues every combination of model, data set, length and seed that isn't there yet, and prints
    the ids of the new runs. With --launcher they are jobs of a cluster; --dry-run then shows the
    batch script of the first.
    """
    place = _launcher(session, launcher)
    choice = (flat(models), flat(datasets), flat(lengths), flat(seeds))
    specs = _specs(session, asked_suite(session, *choice, profile, suite, settings))
    present = {} if again else _present(session, specs)
    missing = [spec for spec in specs if spec.fingerprint() not in present]
    _check_data(missing)
    if dry_run:
        _say_plan(specs, present, as_json, _script(session, place, missing))
        return
    queued = _enqueue(session, missing, suite, place)
    if present:
        note(f"{len(present)} of {len(specs)} there already (--again queues those too).")
    if queued:
        follow = "" if wait else " `seqbench watch` follows them."
        where = f"as jobs of {place.name}" if place else "in the background"
        note(f"{len(queued)} queued; they train {where}.{follow}")
    if not as_json:
        for run_id in queued:
            say(run_id)
    there = [found.id for found in present.values()]
    if not wait:
        if as_json:
            say_json({"queued": queued, "present": there})
        return
    ended = _wait(ctx, session, [*there, *queued])
    if as_json:
        runs = [asdict(each) for each in ended]
        say_json({"queued": queued, "present": there, "runs": runs})
    if any(each.state != "done" for each in ended):
        ctx.exit(1)


def _specs(session: Session, suite: Suite) -> list[RunSpec]:
    """Every combination once. Raises `UsageError`."""
    specs = session.catalogue.expand(suite)
    return list({spec.fingerprint(): spec for spec in specs}.values())


def asked_suite(
    session: Session,
    models: list[str],
    datasets: list[str],
    lengths: list[int],
    seeds: list[int],
    profile: str | None,
    suite: str | None,
    settings: tuple[str, ...],
) -> Suite:
    """What the options ask for, as a suite. Raises `UsageError`."""
    from engine.config import overlay
    from engine.spec import Suite

    catalogue = session.catalogue
    named = None if suite is None else catalogue.suite(suite)
    if named is None and not (models and datasets):
        absent = "--model" if not models else "--dataset"
        names = catalogue.models if not models else catalogue.datasets
        raise UsageError(f"{absent} is needed (or --suite): choose from {', '.join(names)}.")
    chosen: dict[str, Any] = {
        "models": models,
        "datasets": datasets,
        "lengths": lengths,
        "seeds": seeds,
        "profile": profile,
    }
    changes = {name: tuple(v) if isinstance(v, list) else v for name, v in chosen.items() if v}
    if named is None:
        defaults = {"lengths": DEFAULT_LENGTHS, "seeds": DEFAULT_SEEDS}
        named = Suite(name="by-hand", title="", **defaults | changes)
    overrides = overrides_of(settings)
    return named.model_copy(
        update=changes
        | {
            "overrides": overlay(named.overrides, overrides),
            "variants": {n: overlay(its, overrides) for n, its in named.variants.items()},
        }
    )


def overrides_of(settings: tuple[str, ...]) -> Overrides:
    """What ``--set`` says. Raises `UsageError`."""
    overrides: Overrides = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--set takes KEY=VALUE, such as epochs=5, not {setting!r}.")
        overrides[key.strip()] = value
    return overrides


def _present(session: Session, specs: list[RunSpec]) -> dict[str, Run]:
    """By fingerprint, the newest run that is queued, running or done."""
    if not session.has_store:
        return {}
    from engine.store.queries import present_runs

    with session.reader() as connection:
        found = {spec.fingerprint(): present_runs(connection, spec.fingerprint()) for spec in specs}
    return {fingerprint: runs[0] for fingerprint, runs in found.items() if runs}


def _check_data(specs: list[RunSpec]) -> None:
    """Raises `DataError` before anything is queued that could only fail."""
    from engine.datasets.locate import is_ready

    absent = list(
        {spec.dataset: spec.source for spec in specs if not is_ready(spec.source)}.values()
    )
    if not absent:
        return
    names = " ".join(dataset.name for dataset in absent)
    titles = " and ".join(dataset.title for dataset in absent)
    size = sum(dataset.archive.bytes for dataset in absent if dataset.archive) / 1e6
    raise DataError(
        f"{titles} {'is' if len(absent) == 1 else 'are'} not on this machine: "
        f"`seqbench data fetch {names}` downloads {size:.1f} MB, or SEQBENCH_DATA names the "
        "folder that has the data; nothing was queued."
    )


def _launcher(session: Session, name: str | None) -> SlurmProfile | None:
    """The profile that is asked for; ``None`` is this machine. Raises `UsageError`."""
    from engine.config import LOCAL

    if name is None or name.strip().lower() == LOCAL:
        return None
    return session.catalogue.launcher(name)


def _script(session: Session, profile: SlurmProfile | None, specs: list[RunSpec]) -> str | None:
    """What would be submitted for the first of the runs."""
    if profile is None or not specs:
        return None
    from engine.scheduling.slurm.script import attempt_script

    first = specs[0]
    run_id = f"{first.model}-{first.dataset}-l{first.length}-s{first.seed}-xxxxx"
    return attempt_script(profile, session.location.folder(run_id), 1)


def _enqueue(
    session: Session, specs: list[RunSpec], suite: str | None, profile: SlurmProfile | None
) -> list[str]:
    if not specs:
        return []
    from engine.store.requests import enqueue

    ids = enqueue(session.location, specs, suite, profile.name if profile else None)
    with session.reader():
        return ids


def _say_plan(
    specs: list[RunSpec], present: dict[str, Run], as_json: bool, script: str | None
) -> None:
    from engine.models.sizes import parameter_count

    plan = [
        {
            "model": spec.model,
            "dataset": spec.dataset,
            "length": spec.length,
            "seed": spec.seed,
            "profile": spec.recipe,
            "parameters": parameter_count(spec),
            "present": found.id if (found := present.get(spec.fingerprint())) else None,
        }
        for spec in specs
    ]
    if as_json:
        say_json(plan if script is None else {"plan": plan, "script": script})
        return
    rows = [
        [
            *(p["model"], p["dataset"], p["length"], p["seed"], p["profile"]),
            *(f"{p['parameters']:,}", p["present"]),
        ]
        for p in plan
    ]
    say_table(
        ["MODEL", "DATASET", "LENGTH", "SEED", "PROFILE", "PARAMETERS", "WOULD"],
        [[*row[:-1], f"skip: {row[-1]}" if row[-1] else "queue"] for row in rows],
        right="LENGTH SEED PARAMETERS",
    )
    if script is not None:
        say()
        for line in script.splitlines():
            say(line)


def _wait(ctx: click.Context, session: Session, run_ids: list[str]) -> list[Run]:
    from tui.commands.following import follow

    try:
        return follow(session, run_ids, note)
    except KeyboardInterrupt:
        note("The runs go on in the background: `seqbench watch` follows, `seqbench cancel` stops.")
        ctx.exit(130)
