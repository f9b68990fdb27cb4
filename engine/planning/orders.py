"""Orders, as the app and the commands are told them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from engine.config import Catalogue
from engine.config.overrides import (
    combinations,
    combined,
    is_of_training,
    overlay,
    parsed,
    sweep_values,
    without,
    without_training,
)
from engine.config.suites import suite_of_cells
from engine.order import DEFAULT_LENGTHS, DEFAULT_SEEDS, Order
from engine.spec import CellKey, Overrides, RunSpec, Suite, Sweep, parameter_count


def order_of_cells(
    catalogue: Catalogue,
    cells: Iterable[CellKey],
    seeds: tuple[int, ...] = DEFAULT_SEEDS,
    profile: str = "reference",
    settings: Mapping[str, Sweep] | None = None,
    suite: str | None = None,
) -> Order:
    """Order chosen cells.

    Args:
        settings: all that differ from the profile's. Those that are not the suite's own take
            precedence over its variants.
        suite: the one that the choice began with; it gives the variants.

    Raises:
        UsageError: there is no such suite.
    """
    settings = settings or {}
    if suite is None:
        return Order(frozenset(cells), seeds, profile, settings)
    named, chosen = catalogue.suite(suite), frozenset(cells)
    own = {key: _values(sweep) for key, sweep in named.overrides.items()}
    changed = {key: v for key, v in settings.items() if key not in own or _values(v) != own[key]}
    named = _concerning(catalogue, named, {model for model, _, _ in chosen})
    typed = {key: v for key, v in settings.items() if key in changed or key in named.overrides}
    return Order(chosen, seeds, profile, typed, named.name, _variants(named, changed))


def order_of_axes(
    catalogue: Catalogue,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    lengths: Sequence[int] = (),
    seeds: Sequence[int] = (),
    profile: str | None = None,
    settings: Mapping[str, Sweep] | None = None,
    suite: str | None = None,
) -> Order:
    """Order every combination of models, data sets, lengths and seeds.

    What isn't given is the suite's or, without one, the default; models and data sets have none.

    Args:
        settings: take precedence over the suite's own, and over its variants; several values of
            one multiply the runs.

    Raises:
        UsageError: a name that isn't known, or no cell is left.
    """
    asked = {"models": models, "datasets": datasets, "lengths": lengths, "seeds": seeds}
    axes: dict[str, Any] = {name: tuple(values) for name, values in asked.items() if values}
    if suite is None:
        axes = {"lengths": DEFAULT_LENGTHS, "seeds": DEFAULT_SEEDS} | axes
        named = Suite(name="by-hand", title="", **axes)
    else:
        named = catalogue.suite(suite)
        chosen = {catalogue.model(model).name for model in axes.get("models", named.models)}
        named = _concerning(catalogue, named, chosen).model_copy(update=axes)
    typed = dict(settings or {})
    return Order(
        frozenset(catalogue.cells(named)),
        tuple(dict.fromkeys(named.seeds)),
        profile or named.profile,
        overlay(named.overrides, typed),
        None if suite is None else named.name,
        _variants(named, typed),
    )


def _concerning(catalogue: Catalogue, suite: Suite, models: Set[str]) -> Suite:
    """Return a suite with the overrides and the variants that concern some models: those of
    training don't concern the fitted ones that it has beside trained ones."""
    every = (catalogue.model(model).name for model in suite.models)
    if not models or not models <= catalogue.untrained(every, suite.profile):
        return suite
    variants: dict[str, Overrides] = {}
    for name, own in suite.variants.items():
        if (left := without_training(own)) not in variants.values():
            variants[name] = left
    overrides = without_training(suite.overrides)
    return suite.model_copy(update={"overrides": overrides, "variants": variants})


def _values(sweep: Sweep) -> list[object]:
    return list(map(parsed, sweep_values(sweep)))


def _variants(suite: Suite, typed: Mapping[str, Sweep]) -> dict[str, Overrides]:
    """The suite's variants without what was typed, which goes before them."""
    return {name: without(own, typed) for name, own in suite.variants.items()}


def order_suite(catalogue: Catalogue, order: Order, name: str, title: str) -> Suite:
    """Make a suite of an order; its title defaults to its name. Raises `UsageError`."""
    return suite_of_cells(
        name,
        title or name,
        catalogue.in_order(order.cells),
        order.seeds,
        order.profile,
        dict(order.overrides),
        order.variants,
    )


def samples(
    catalogue: Catalogue, order: Order, cell: CellKey, *, wait: bool = True
) -> list[tuple[RunSpec, int]]:
    """Return configurations of one cell of an order, each with its parameter count: in each
    variant all combinations of the architecture's values, and each value of training with the
    first ones of the others.

    Args:
        wait: find out what isn't known of the model with these settings, which takes a process.

    Raises:
        NotKnownError: without ``wait``, something isn't known.
        UsageError: an impossible value.
    """
    models = {cell[0], *(model for model, _, _ in order.cells)}
    untrained = cell[0] in catalogue.untrained(models, order.profile)
    found: list[tuple[RunSpec, int]] = []
    for own in combined(order.overrides, order.variants).values():
        for settings in _sampled(without_training(own) if untrained else own):
            spec = catalogue.run_spec(*cell, order.seeds[0], order.profile, settings, wait=wait)
            found.append((spec, parameter_count(spec, wait=wait)))
    return found


def _sampled(overrides: Mapping[str, Sweep]) -> Iterator[Overrides]:
    """Yield all combinations of the architecture's values, then every further value of training."""
    training = {key: sweep_values(own) for key, own in overrides.items() if is_of_training(key)}
    firsts = {key: values[0] for key, values in training.items()}
    yield from combinations({**overrides, **firsts})
    for key, values in training.items():
        for value in values[1:]:
            yield next(combinations({**overrides, **firsts, key: value}))
