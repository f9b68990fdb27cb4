"""What recorded trials reached as a function of their settings, on which samplers can be compared
over many seeds: a Gaussian process through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.tuning.known import Known
from benchmarks.tuning.record import StudyRecord
from engine.errors import UserError
from engine.spec import Range, RunSpec, Space
from engine.tuning.ask import Settings

STEPS = 100
"""Most updates of the process's scales."""
LEAST_NOISE = 1e-3
"""Of the trials' standard deviation."""


def smoothed(studies: Sequence[StudyRecord]) -> tuple[Known, str]:
    """Fit a function, with its noise, to the trials of studies of one model that were trained to
    their ends; return it, and what is to be said of it.

    The squared-exponential kernel has a scale for each setting. They, its height and the noise have
    the highest marginal likelihood (Rasmussen & Williams 2006, 5.4.1).

    Raises:
        UserError: there are too few trials.
    """
    space = _space(studies)
    trials = {
        (study.repeat, str(each.settings)): (each.settings, each.best)
        for study in studies
        for each in study.trials
        if each.whole and _is_inside(space, each.settings)
    }
    if len(trials) < 10 * len(space):
        raise UserError(f"A function of settings needs {10 * len(space)} whole trials or more.")
    points = torch.tensor([_place(space, each) for each, _ in trials.values()], dtype=torch.float64)
    reached = torch.tensor([value for _, value in trials.values()], dtype=torch.float64)
    mean, deviation = float(reached.mean()), float(reached.std())
    values = (reached - mean) / deviation
    scales = _fitted(points, values)
    inverse = torch.linalg.inv(scales.covariance(points))
    weights = inverse @ values

    def value(settings: Settings) -> float:
        place = torch.tensor([_place(space, settings)], dtype=torch.float64)
        return mean + deviation * float(scales.kernel(place, points)[0] @ weights)

    # Of each trial from all others (Rasmussen & Williams 2006, 5.12).
    left_out = weights / inverse.diagonal()
    explained = 1 - float(left_out.square().mean() / values.square().mean())
    error = deviation * math.sqrt(scales.noise)
    words = (
        f"{len(trials)} whole trials; the function explains {explained:.0%} of their variance, "
        f"each left out in turn; the standard deviation around it is {error:.4f}."
    )
    return Known(space, value, error), words


def _space(studies: Sequence[StudyRecord]) -> Space:
    trial = RunSpec.model_validate(studies[0].spec).trial
    assert trial is not None  # it is a trial's
    (model,) = trial.study.models
    return model.space


def _place(space: Space, settings: Settings) -> list[float]:
    """Return settings as coordinates from 0 to 1; listed values are as far apart as in the list."""
    return [_coordinate(choice, settings[name]) for name, choice in space.items()]


def _is_inside(space: Space, settings: Settings) -> bool:
    """Whether a trial, which may be the recipe, has values that have a place."""
    listed = {name: choice for name, choice in space.items() if not isinstance(choice, Range)}
    return all(settings[name] in choice for name, choice in listed.items())


def _coordinate(choice: Range | tuple[Any, ...], value: Any) -> float:
    if not isinstance(choice, Range):
        return choice.index(value) / max(1, len(choice) - 1)
    low, high, value = (
        math.log(each) if choice.log else float(each) for each in (choice.low, choice.high, value)
    )
    return (value - low) / (high - low)


@dataclass(frozen=True)
class _Scales:
    settings: Tensor
    """Of each setting, (settings,)."""
    height: Tensor
    """Variance of the function."""
    noise: Tensor
    """Variance around it."""

    def kernel(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the covariances of the function at two lists of places."""
        return self.height * torch.exp(
            -0.5 * torch.cdist(a / self.settings, b / self.settings).square()
        )

    def covariance(self, points: Tensor) -> Tensor:
        """Return the covariances of what trials at some places reach."""
        one = torch.eye(len(points), dtype=torch.float64)
        return self.kernel(points, points) + self.noise * one


def _scales(logs: Tensor) -> _Scales:
    return _Scales(logs[:-2].exp(), logs[-2].exp(), logs[-1].exp() + LEAST_NOISE)


def _fitted(points: Tensor, values: Tensor) -> _Scales:
    logs = torch.zeros(points.shape[1] + 2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logs], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        factor = torch.linalg.cholesky(_scales(logs).covariance(points))
        fit = torch.cholesky_solve(values[:, None], factor)[:, 0]
        found: Tensor = 0.5 * values @ fit + factor.diagonal().log().sum()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    optimizer.step(loss)  # type: ignore[arg-type,no-untyped-call]
    return _scales(logs.detach())
