"""New runs made of others: with some settings changed, with a higher limit of epochs, or trained
again with validation included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from pydantic import ValidationError

from engine.analysis.run.further import why_not_further, why_not_refit
from engine.config import Catalogue
from engine.config.overrides import combinations, parse_override, swept
from engine.errors import UsageError
from engine.interchange.continued import add_continued
from engine.planning.plans import keeps_label
from engine.spec import RunSpec, Sweep, amended, parameter_count
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import Run, get_run, present_runs, run_spec
from engine.store.requests import enqueue


def amendments(
    catalogue: Catalogue, model: str, recipe: str, settings: Mapping[str, Sweep]
) -> dict[str, Any]:
    """Parse ``settings`` that change a run of a recipe (``profile`` or ``profile/variant``).

    Raises:
        UsageError: an unknown setting, an impossible value, or several values.
    """
    for key, values in swept(settings).items():
        raise UsageError(
            f"{key} is given {values} values, and a run has one: `seqbench run --set` runs each."
        )
    entry, profile = catalogue.model(model), recipe.partition("/")[0]
    if profile not in entry.profiles:  # a study's, say, that was never kept
        profile = next(iter(entry.profiles))
    changes = [
        parse_override(entry, profile, key, value)
        for key, value in next(combinations(settings)).items()
    ]
    return {name: value for _, name, value in changes}


def enqueue_amended(
    location: StoreLocation,
    catalogue: Catalogue | None,
    run_id: str,
    settings: Mapping[str, Any],
) -> str:
    """Put a new run at the end of the queue: a present one's configuration but for some settings.

    It goes to the same launcher, and keeps its suite's name if `keeps_label` says so; without a
    catalogue that isn't known.

    Returns:
        The new run's id.

    Raises:
        UsageError: there is no such run, or no such setting, or not with this value.
        StoreError: the store can't be read or written.
    """
    with closing(connect_reader(location)) as connection:
        spec, run = run_spec(connection, run_id), get_run(connection, run_id)
        assert run is not None  # it has a configuration
        changed = _amended(spec, settings)
        made = [changed]
        if changed.training.refit and not present_runs(connection, changed.first.fingerprint()):
            made.insert(0, changed.first)
    return enqueue(location, made, _label(catalogue, run, changed), run.launcher)[-1]


def enqueue_further(
    location: StoreLocation, catalogue: Catalogue | None, run_ids: Sequence[str], epochs: int
) -> list[str]:
    """Queue new runs that continue others from their epoch limit, with a higher one.

    Each is what a run with that limit from the start would be, and gives the same result. Runs that
    they continue stay as they are. All are checked before the first is queued.

    Returns:
        The new runs' ids.

    Raises:
        UsageError: there is no such run, training can't go on from its end, or a run with that
            limit is there already.
        StoreError: the store can't be read or written.
    """
    found: dict[str, tuple[RunSpec, str | None]] = {}
    with closing(connect_reader(location)) as connection:
        for run_id in dict.fromkeys(run_ids):
            spec, run = run_spec(connection, run_id), get_run(connection, run_id)
            assert run is not None  # it has a configuration
            content = spec.model_dump(mode="json")
            why = why_not_further(location.folder(run_id), run, content, catalogue, epochs)
            if why is not None:
                raise UsageError(why)
            longer = _amended(spec, {"epochs": epochs}).model_copy(update={"continues": run_id})
            fingerprint = longer.fingerprint()
            if fingerprint in found:
                raise UsageError(
                    f"{run_id} and {found[fingerprint][0].continues} are the same run twice: name "
                    f"only "
                    "one."
                )
            if there := present_runs(connection, fingerprint):
                raise UsageError(
                    f"{run_id} with {epochs} epochs exists already: {there[0].id} "
                    f"({there[0].state})."
                )
            found[fingerprint] = longer, _label(catalogue, run, longer)
    return [
        add_continued(location, spec, label, parameter_count(spec))
        for spec, label in found.values()
    ]


def enqueue_refits(
    location: StoreLocation,
    catalogue: Catalogue | None,
    run_ids: Sequence[str],
    *,
    skip: bool = False,
) -> list[str]:
    """Queue new runs that train to the chosen epochs of others with validation included, where
    those went. All are checked before the first is queued.

    Args:
        skip: leave out the runs of which there can be none, or is one.

    Returns:
        The new runs' ids.

    Raises:
        UsageError: there is no such run, it isn't done or is a refit itself, or its refit is there
            already.
        StoreError: the store can't be read or written.
    """
    found: dict[str, tuple[RunSpec, str | None, str | None]] = {}
    with closing(connect_reader(location)) as connection:
        for run_id in dict.fromkeys(run_ids):
            spec, run = run_spec(connection, run_id), get_run(connection, run_id)
            assert run is not None  # it has a configuration
            refit = _amended(spec, {"refit": True}).model_copy(update={"refits": run_id})
            fingerprint = refit.fingerprint()
            there = [each.id for each in present_runs(connection, fingerprint)]
            if (why := why_not_refit(run)) is not None:
                pass
            elif there:
                why = f"The refit of {run_id} exists already: {there[0]}."
            elif fingerprint in found:
                other = found[fingerprint][0].refits
                why = f"{run_id} and {other} are the same run twice: name only one."
            if why is None:
                found[fingerprint] = refit, _label(catalogue, run, refit), run.launcher
            elif not skip:
                raise UsageError(why)
    return [
        enqueue(location, [spec], label, launcher)[0] for spec, label, launcher in found.values()
    ]


def _amended(spec: RunSpec, settings: Mapping[str, Any]) -> RunSpec:
    try:
        return amended(spec, settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{first['loc'][-1]}: {first['msg']}.") from None


def _label(catalogue: Catalogue | None, run: Run, spec: RunSpec) -> str | None:
    """The suite's name that a run made from another one keeps, if `keeps_label` says so."""
    if catalogue is None or not (suite := catalogue.suites.get(run.suite or "")):
        return None
    kept = keeps_label(catalogue, suite, spec.seed, [spec.fingerprint()])
    return suite.name if kept else None
