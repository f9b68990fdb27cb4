"""What is tried next: settings out of a space, by those that were tried before."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import UserError, cut
from engine.spec import Range, Sampler, Space

if TYPE_CHECKING:
    from optuna import Study as OptunaStudy
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

Settings = dict[str, Any]
"""Values by name."""

NO_OPTUNA = (
    "Tuning needs Optuna, which isn't installed here: `pip install 'seqbench[tune]'` installs it."
)

REPEATS = 20
"""Draws of settings that were tried before, after which settings are tried again."""

LEAST_AT_RANDOM, MOST_AT_RANDOM = 4, 10
"""Trials, a quarter of all of them, whose settings are drawn at random before the sampler learns
from the others."""

DIGITS = 4
"""Of drawn values, so that people can write them."""


@dataclass(frozen=True, slots=True)
class Past:
    """A trial before."""

    settings: Settings
    """Its values of the settings of the space."""
    state: Literal["done", "running", "paused", "failed"]
    value: float | None
    """What it reached; ``None`` unless it is done or paused."""
    epoch: int = 0
    """Of one that is paused, or ended while it was, the last."""


def has_optuna() -> bool:
    """Return whether Optuna is installed, without loading it."""
    from importlib.util import find_spec

    return find_spec("optuna") is not None


def ask(
    space: Space,
    sampler: Sampler,
    seed: int,
    number: int,
    trials: int,
    past: Sequence[Past],
    possible: Callable[[Settings], bool] = lambda _: True,
) -> Settings | None:
    """Choose the settings of the next trial; ``None`` if all of a grid were tried.

    They depend on nothing but the arguments: what is known of a study is put together anew each
    time. Instead of settings that were tried before, or aren't possible, others are drawn with
    another seed.

    Args:
        number: of the trial in its study; with ``seed`` it seeds the sampler.
        trials: how many there will be at most.
        past: the trials before, in their order.
        possible: returns whether a model can have some settings.

    Raises:
        UserError: Optuna isn't installed, or it draws nothing that is possible.
    """
    tried = [each.settings for each in past]
    if sampler == "grid":
        left = (each for each in grid(space) if each not in tried and possible(each))
        return next(left, None)
    again: Settings | None = None
    for repeat in range(REPEATS):
        source = random.Random(f"{seed}/{number}/{repeat}")
        found = _drawn(space, sampler, source, trials, past)
        if possible(found):
            if found not in tried:
                return found
            again = again or found
    if again is None:
        raise UserError("None of the settings that were drawn from its space can be together.")
    return again


def grid(space: Space) -> Iterable[Settings]:
    """Yield every combination of the values of settings, the last setting's change fastest.

    Raises:
        UserError: a setting has no steps.
    """
    values = [_values(name, choice) for name, choice in space.items()]
    return (dict(zip(space, combination, strict=True)) for combination in product(*values))


def _values(name: str, choice: Range | tuple[Any, ...]) -> Sequence[Any]:
    if not isinstance(choice, Range):
        return choice
    step = choice.step or (1 if choice.whole and not choice.log else None)
    if step is None:
        raise UserError(f"A grid needs the values of {name}: list them, or give its range a step.")
    count = int((choice.high - choice.low) / step + 1e-8) + 1
    return [_written(choice.low + place * step, choice) for place in range(count)]


def _written(value: Any, choice: Range | tuple[Any, ...]) -> Any:
    """Return a drawn value with few digits: 0.3, not three times 0.1, which is a little more."""
    if not isinstance(choice, Range) or isinstance(value, int):
        return value
    if choice.step is not None:
        return round(value, 12)
    return min(max(float(f"{value:.{DIGITS}g}"), choice.low), choice.high)


def _drawn(
    space: Space, sampler: Sampler, source: random.Random, trials: int, past: Sequence[Past]
) -> Settings:
    try:
        study = recorded(space, past, lambda: _sampler(sampler, source.getrandbits(32), trials))
        drawn = study.ask({name: _distribution(choice) for name, choice in space.items()}).params
    except (ValueError, ArithmeticError) as error:
        problem = str(error) or type(error).__name__
        raise UserError(f"Optuna can't draw from the space: {cut(problem, 200)}") from None
    return {name: _written(drawn[name], choice) for name, choice in space.items()}


def recorded(
    space: Space, past: Sequence[Past], sampler: Callable[[], BaseSampler] | None = None
) -> OptunaStudy:
    """Return trials as a study of Optuna's, in memory: of each the values that its space has.

    Args:
        sampler: makes Optuna's sampler; its own one if not given.

    Raises:
        UserError: Optuna isn't installed.
    """
    try:
        import optuna  # an extra, and seconds to load
        from optuna.trial import TrialState, create_trial
    except ImportError:
        raise UserError(NO_OPTUNA) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {name: _distribution(choice) for name, choice in space.items()}
    states = {
        "done": TrialState.COMPLETE, "running": TrialState.RUNNING, "failed": TrialState.FAIL,
        "paused": TrialState.PRUNED,
    }  # fmt: skip
    study = optuna.create_study(direction="maximize", sampler=sampler and sampler())
    for each in past:
        # A profile as it stands may have values outside the space.
        known = {name: each.settings[name] for name in space if has(space, each.settings, name)}
        study.add_trial(
            create_trial(
                state=states[each.state],
                value=each.value if each.state == "done" else None,
                intermediate_values={each.epoch: each.value or 0.0} if each.epoch else None,
                params=known,
                distributions={name: distributions[name] for name in known},
            )
        )
    return study


def _sampler(sampler: Sampler, seed: int, trials: int) -> BaseSampler:
    from optuna.samplers import RandomSampler, TPESampler

    if sampler == "random":
        return RandomSampler(seed=seed)
    at_random = max(LEAST_AT_RANDOM, min(MOST_AT_RANDOM, trials // 4))
    return TPESampler(seed=seed, n_startup_trials=at_random)


def _distribution(choice: Range | tuple[Any, ...]) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if not isinstance(choice, Range):
        return CategoricalDistribution(choice)
    low, high, step = choice.low, choice.high, choice.step
    if choice.whole:
        return IntDistribution(int(low), int(high), log=choice.log, step=int(step or 1))
    return FloatDistribution(float(low), float(high), log=choice.log, step=step)


def has(space: Space, settings: Settings, name: str) -> bool:
    """Return whether a space has the value of one of some settings."""
    choice, value = space[name], settings[name]
    return choice.has(value) if isinstance(choice, Range) else value in choice
