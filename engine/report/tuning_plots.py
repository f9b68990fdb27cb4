"""Draws the plots of studies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from engine.analysis.export import listed
from engine.analysis.tuning.studies import Tuned
from engine.order import settings_text
from engine.report.plots import (
    WIDE,
    Colours,
    legend_above,
    logarithmic_if_wide,
    new_figure,
    span_text,
)
from engine.report.svg import INK, PAPER, QUIET, STYLE, svg_text
from engine.report.wording import counted
from engine.spec import Range, Space
from engine.store.studies import StoredTrial
from engine.tuning.ask import Settings, has
from engine.tuning.found import best_so_far

MOST_LINES = 200
"""Most trials in parallel coordinates: the best ones."""

_MOST_NAMED = 8
"""Most values of a setting that are written beside its axis."""


def best_plot(name: str, models: Sequence[Tuned], looks: Colours) -> str:
    """Draw a study: on the left the expected best of n over n with its interval, on the right what
    each trial reached in their order, with the best so far as steps."""
    with style.context(STYLE, after_reset=True):
        figure = new_figure(WIDE, 4.2)
        (left, right) = figure.subplots(1, 2, sharey=True)
        low, high = _limits(models)
        for each in models:
            colour, marker = looks[each.model.model]
            line = each.line
            budgets = [best.trials for best in line]
            ends = [best.low for best in line], [best.high for best in line]
            left.fill_between(budgets, *ends, color=colour, alpha=0.14, linewidth=0)
            left.plot(budgets, [best.mean for best in line], color=colour)
            left.plot([budgets[-1]], [line[-1].mean], marker, color=colour, markersize=6)
            _draw_trials(right, each, looks, low)
        left.set_ylim(low, high)
        for axes in (left, right):
            logarithmic_if_wide(axes, [1, *(len(each.reached) for each in models)], least=60)
            if axes.get_xscale() == "linear":
                axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        left.set_ylabel("validation NDCG@10")
        left.set_title("Expected best of n trials")
        left.set_xlabel("n")
        right.set_title("The trials in their order")
        right.set_xlabel("trial of the model")
        shown = [each.model.model for each in models]
        handles = [
            Line2D([], [], color=looks[model][0], marker=looks[model][1], markersize=7)
            for model in shown
        ]
        legend_above(figure, handles, shown)
        return svg_text(figure, name)


def best_alt(models: Sequence[Tuned], title: str) -> str:
    """Describe `best_plot` for who can't see it."""
    ends = listed(
        f"{each.model.model} from {each.line[0].mean:.4f} to {each.line[-1].mean:.4f} with "
        f"{counted(each.reached, 'trial')}"
        for each in models
    )
    return (
        f"Two plots of the study {title}. On the left the expected best of n trials over n, as in "
        f"the table above, with the interval of 95 % of draws: {ends}. On the right what each "
        f"trial reached, and the best so far ({span_text(_bests(models))} in the end)."
    )


def _bests(models: Sequence[Tuned]) -> list[float]:
    return [each.best.value or 0.0 for each in models if each.best] or [0.0]


def _limits(models: Sequence[Tuned]) -> tuple[float, float]:
    """Choose the values between which trials are drawn: three quarters of each model's, and some
    room."""
    top = max(max(each.reached) for each in models)
    quarter = min(sorted(each.reached)[len(each.reached) // 4] for each in models)
    room = (top - quarter) or top or 1.0
    return max(0.0, quarter - 0.35 * room), top + 0.08 * room


def _draw_trials(axes: Axes, each: Tuned, looks: Colours, low: float) -> None:
    """Draw what trials reached, filled if they were trained to their end, those below the plot as
    arrows at its edge; and the best so far."""
    colour, marker = looks[each.model.model]
    points: dict[tuple[bool, bool], list[tuple[int, float]]] = {}
    for place, (trial, value) in enumerate(zip(each.counted, each.reached, strict=True), 1):
        points.setdefault((trial.can_be_chosen, value < low), []).append((place, max(value, low)))
    for (whole, below), some in points.items():
        axes.plot(
            *zip(*some, strict=True), "v" if below else marker, color=colour, clip_on=False,
            markerfacecolor=colour if whole else PAPER, markersize=5, alpha=0.6,
        )  # fmt: skip
    steps = best_so_far(each.counted)
    if steps:
        axes.step(*zip(*steps, strict=True), color=colour, where="post")


def parallel_plot(
    name: str, found: Tuned, settings: Sequence[tuple[StoredTrial, Settings]], looks: Colours
) -> str:
    """Draw the trials of a model as lines over its settings, from one axis to the next, the last
    one being what they reached.

    Args:
        settings: the trials to draw, the best first, with their values of the settings.
    """
    space, (colour, _) = found.model.space, looks[found.model.model]
    values = [trial.value or 0.0 for trial, _ in settings]
    low, high = min(values), max(values)
    last = len(space)
    with style.context(STYLE, after_reset=True):
        figure = new_figure(WIDE, 3.6)
        axes = figure.subplots()
        for place, (trial, own) in reversed([*enumerate(settings)]):
            reached = ((trial.value or 0.0) - low) / ((high - low) or 1.0)
            heights = [*(_height(space[key], own[key]) for key in space), reached]
            look: dict[str, Any] = {"color": QUIET, "alpha": 0.3, "linewidth": 0.9}
            if place < _top(len(settings)):
                look = {"color": colour, "alpha": 0.75, "linewidth": 1.4}
            if found.best is not None and trial.run == found.best.run:
                look = {"color": INK, "linewidth": 2.4}
            axes.plot(range(last + 1), heights, **look)
        for place, key in enumerate(space):
            axes.axvline(place, color=QUIET, linewidth=0.8)
            for height, text in _marks(key, space):
                _write(axes, place, height, text)
        axes.axvline(last, color=QUIET, linewidth=0.8)
        for height in (0.0, 0.5, 1.0):
            _write(axes, last, height, f"{low + height * (high - low):.4f}")
        axes.set_xticks(range(last + 1), [*space, "validation NDCG@10"])
        axes.tick_params(axis="x", length=0, labelcolor=INK)
        axes.set_yticks([])
        axes.set_xlim(-0.15, last + 0.45)
        axes.set_ylim(-0.06, 1.06)
        axes.grid(visible=False)
        axes.spines[["left", "bottom"]].set_visible(False)
        return svg_text(figure, name)


def parallel_caption(found: Tuned, settings: Sequence[tuple[StoredTrial, Settings]]) -> str:
    """Say which trials `parallel_plot` draws, and how."""
    which, told = "each trial", ""
    if len(settings) < len(found.trials):
        which = f"each of {counted(settings, 'trial')}"
        best = "the best of " if len(settings) == MOST_LINES else ""
        told = f", {best}those that are done and in the space"
    chosen = any(found.best is not None and trial.run == found.best.run for trial, _ in settings)
    thick = ", the chosen one thick" if chosen else ""
    return f"a line for {which} over its settings{told}, the best third coloured{thick}"


def parallel_alt(found: Tuned, settings: Sequence[tuple[StoredTrial, Settings]]) -> str:
    """Describe `parallel_plot` for who can't see it."""
    top = settings[: _top(len(settings))]
    told = "; ".join(
        f"{key} {_values_text(found.model.space[key], key, [own[key] for _, own in top])}"
        for key in found.model.space
    )
    return (
        f"Parallel coordinates of {counted(settings, 'trial')} of {found.model.model}: a line for "
        f"each over its settings, ending at the validation NDCG@10 that it reached. The best "
        f"{len(top)}, which are coloured, have {told}."
    )


def drawn_trials(
    found: Tuned, settings: Mapping[str, Settings]
) -> list[tuple[StoredTrial, Settings]]:
    """Return the trials of a model that `parallel_plot` draws, the best first: those that are done
    and have all their settings in the space.

    Args:
        settings: by run id.
    """
    space = found.model.space
    inside = [
        (trial, settings[trial.run])
        for trial in found.trials
        if trial.state == "done" and all(has(space, settings[trial.run], key) for key in space)
    ]
    return sorted(inside, key=lambda each: (-(each[0].value or 0.0), each[0].number))[:MOST_LINES]


def _top(trials: int) -> int:
    """The number of trials that are coloured: the best third."""
    return max(1, trials // 3)


def _height(choice: Range | tuple[Any, ...], value: Any) -> float:
    """Return where a value is on its axis, from 0 to 1."""
    if not isinstance(choice, Range):
        return choice.index(value) / max(1, len(choice) - 1)
    scaled = [math.log(each) if choice.log else each for each in (choice.low, value, choice.high)]
    return (scaled[1] - scaled[0]) / (scaled[2] - scaled[0])


def _marks(key: str, space: Space) -> list[tuple[float, str]]:
    """Return the values that are written beside an axis, each with where it is."""
    choice = space[key]
    if isinstance(choice, Range):
        values: Sequence[Any] = (choice.low, choice.high)
    else:
        values = choice if len(choice) <= _MOST_NAMED else (choice[0], choice[-1])
    return [(_height(choice, value), _text(key, value)) for value in values]


def _text(key: str, value: Any) -> str:
    return settings_text({key: value})[key]


def _values_text(choice: Range | tuple[Any, ...], key: str, values: Sequence[Any]) -> str:
    if isinstance(choice, Range):
        ends = dict.fromkeys(_text(key, value) for value in (min(values), max(values)))
        return " to ".join(ends)
    own = [each for each in choice if each in values]
    return listed(_text(key, value) for value in own)


def _write(axes: Axes, place: int, height: float, text: str) -> None:
    axes.annotate(
        text, (place, height), (4, 0), textcoords="offset points", fontsize=9, color=INK,
        verticalalignment="center",
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1},
    )  # fmt: skip
