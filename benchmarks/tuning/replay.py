"""Successive halving replayed on what whole trials reached, over and over with other trials.

The rule is the one that studies follow (`engine.tuning.progress`); what it would have trained of
each trial is the beginning of that trial's curve.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import fmean
from unittest.mock import patch

from benchmarks.common import table
from benchmarks.tuning.record import StudyRecord, TrialRecord
from benchmarks.tuning.tables import figure, over
from engine.errors import UserError
from engine.rungs import REDUCTION
from engine.spec import RunSpec, Study
from engine.store.studies import StoredTrial
from engine.tuning import progress as rule
from engine.tuning.progress import Progress, Promotion

SLOTS = 4
"""Trials at once."""
SIZES = (10, 20, 40)
"""Trials of a study."""


@dataclass(frozen=True, slots=True)
class Halving:
    """Another way to halve: at which epochs, and how many go on."""

    rungs: tuple[int, ...]
    reduction: int
    """Of so many trials, one goes on."""


def other_ways(epochs: int, patience: int) -> list[Halving]:
    """List ways to halve the trials of a limit of epochs and a patience: by shares of either."""
    shares = [(9, 3), (27, 9, 3), (81, 27, 9, 3), (16, 4), (4, 2)]
    ladders = [tuple(max(1, round(epochs / each)) for each in some) for some in shares]
    for first in (max(1, patience // 4), max(1, patience // 2), patience):
        powers = (first * 3**power for power in range(9))
        ladders.append(tuple(rung for rung in powers if 2 * rung <= epochs))
    found = dict.fromkeys(tuple(dict.fromkeys(each)) for each in ladders)
    return [Halving(each, reduction) for each in found for reduction in (2, 3)]


@contextmanager
def halving_by(way: Halving) -> Iterator[None]:
    """Have studies halve in another way."""
    with (
        patch.object(Study, "rungs", lambda *_: way.rungs),
        patch.object(rule, "REDUCTION", way.reduction),
    ):
        yield


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a study came to."""

    chosen: float
    """NDCG@10 on validation."""
    epochs: int
    """Of all trials together."""
    seconds: float
    ended: int
    """Trials that were trained to their end."""


@dataclass
class _Replay:
    """A study that is replayed, at a moment."""

    first: RunSpec
    curves: Sequence[TrialRecord]
    trials: list[StoredTrial]
    at_rungs: Mapping[int, dict[str, float]]

    def progress(self) -> Progress:
        assert self.first.trial is not None  # it is a trial's
        return Progress(self.first.trial.study, self.first, self.trials, self.at_rungs)

    def begin(self) -> int:
        """Add the next trial; return its number."""
        number = len(self.trials)
        self.trials.append(
            StoredTrial(
                *(str(number), number, self.first.model, "running", None, 0.0, 0, None),
                *(False, None, None, None, {}),
            )
        )
        return number

    def release(self, promotion: Promotion) -> int:
        """Let a paused trial train on; return its number."""
        number = int(promotion.run)
        self.trials[number] = replace(self.trials[number], state="running", held=False)
        return number

    def stop(self, number: int, to: int) -> int:
        """Return the epoch at which a trial stops that may train to an epoch."""
        return min(to, len(self.curves[number].valid))

    def reach(self, number: int, epoch: int) -> None:
        """Record that a trial has come to an epoch where it stops."""
        curve, trial = self.curves[number], self.trials[number]
        over = epoch == len(curve.valid)
        ended = "done" if curve.whole else "failed"
        self.trials[number] = replace(
            trial,
            state=ended if over else "queued",
            held=not over,
            epoch=epoch,
            value=max(curve.valid[:epoch], default=None),
            seconds=sum(curve.seconds[:epoch]),
        )
        for rung, values in self.at_rungs.items():
            if epoch >= rung or (over and curve.whole):
                values[trial.run] = max(curve.valid[:rung])


def halved(first: RunSpec, curves: Sequence[TrialRecord], slots: int = SLOTS) -> Outcome:
    """Replay a study with successive halving.

    Args:
        first: a trial of such a study; more of it than its limit of epochs doesn't matter.
        curves: what its trials reach if they aren't paused, in their order.
        slots: trials at once.
    """
    state = _Replay(first, curves, [], {rung: {} for rung in _rungs(first)})
    under_way: list[tuple[float, int, int]] = []  # when each stops, which it is, and at which epoch
    now = 0.0
    while True:
        while len(under_way) < slots and (found := _next(state, bool(under_way))) is not None:
            number, to = found
            begun, end = state.trials[number].epoch or 0, state.stop(number, to)
            heapq.heappush(under_way, (now + sum(curves[number].seconds[begun:end]), number, end))
        if not under_way:
            break
        now, number, epoch = heapq.heappop(under_way)
        state.reach(number, epoch)
    return _outcome(state.progress())


def _next(state: _Replay, busy: bool) -> tuple[int, int] | None:
    """Return the trial that a free slot takes, and the epoch to which it may train, in the order in
    which the supervisor looks for one."""
    progress, limit = state.progress(), state.first.training.epochs
    if (found := progress.promotion()) is not None:
        return state.release(found), found.epoch
    if len(state.trials) < len(state.curves):
        return state.begin(), next(iter(state.at_rungs), limit)
    if not busy and (found := progress.last_promotion()) is not None:
        return state.release(found), found.epoch
    return None


def _rungs(first: RunSpec) -> tuple[int, ...]:
    assert first.trial is not None  # it is a trial's
    return first.trial.study.rungs(first.model)


def _outcome(progress: Progress) -> Outcome:
    trials = progress.trials
    (chosen,) = progress.chosen() or (None,)
    return Outcome(
        chosen=(chosen.best.value or 0.0) if chosen else 0.0,
        epochs=sum(trial.epoch or 0 for trial in trials),
        seconds=sum(trial.seconds for trial in trials),
        ended=sum(trial.state == "done" for trial in trials),
    )


def trained(curves: Sequence[TrialRecord]) -> Outcome:
    """Return what a study comes to that trains all of its trials to their ends."""
    return Outcome(
        chosen=max((max(each.valid) for each in curves if each.whole), default=0.0),
        epochs=sum(len(each.valid) for each in curves),
        seconds=sum(sum(each.seconds) for each in curves),
        ended=sum(each.whole for each in curves),
    )


def affordable(curves: Sequence[TrialRecord], epochs: int) -> Sequence[TrialRecord]:
    """Return as many of the first trials as cost about so many epochs if they are trained whole."""
    spent = list(accumulate(len(each.valid) for each in curves))
    nearest = min(range(len(curves)), key=lambda place: abs(spent[place] - epochs))
    return curves[: nearest + 1]


def drawn(studies: Sequence[StudyRecord], size: int, draws: int) -> Iterator[list[TrialRecord]]:
    """Draw the trials of studies: a recipe's first, and others at random without repeats."""
    whole = [
        each
        for study in studies
        for each in study.trials
        if each.state in ("done", "failed") and each.valid
    ]
    recipes = [each for each in whole if each.number == 0]
    others = [each for each in whole if each.number > 0]
    for draw in range(draws):
        source = random.Random(draw)
        yield [source.choice(recipes), *source.sample(others, size - 1)]


def pruning(study: StudyRecord) -> RunSpec:
    """Return the first trial of a study that does what a study did, and prunes."""
    spec = RunSpec.model_validate(study.spec)
    assert spec.trial is not None  # it is a trial's
    prunes = spec.trial.study.model_copy(update={"prune": "asha"})
    return spec.model_copy(update={"trial": spec.trial.model_copy(update={"study": prunes})})


def replayed(studies: Sequence[StudyRecord], draws: int, sizes: Sequence[int] = SIZES) -> str:
    """A table of what successive halving would have found and cost.

    Raises:
        UserError: there is no study at random without pruning, or too few trials.
    """
    whole = [each for each in studies if each.kind == ("random", "none")]
    count = sum(each.number > 0 and bool(each.valid) for study in whole for each in study.trials)
    # Draws of nearly all trials would be alike.
    fitting = [size for size in sizes if 2 * size <= count]
    if not fitting:
        raise UserError("A replay needs twenty trials of studies at random without pruning.")
    first = pruning(whole[0])
    rows = [row for size in fitting for row in _rows(first, whole, size, draws)]
    headers = ["trials", "trained", "to the end", "chosen", "of the best", "worse by", "equal"]
    training, steps = first.training, ", ".join(map(str, _rungs(first)))
    told = (
        f"{draws} draws out of {count} trials at random; at most {training.epochs} epochs, "
        f"rungs after {steps}; {SLOTS} at once. *Worse by* and *equal* compare with all trials of "
        "the draw trained to the end; *of the best* is the share of what that reached."
    )
    size = max([size for size in fitting if size <= SIZES[1]], default=fitting[0])
    others_are = other_ways(training.epochs, training.patience)
    ways = [_way(first, whole, size, draws, way) for way in others_are]
    others = f"Other ways to halve, with {size} trials; now one in {REDUCTION} goes on at {steps}."
    return "\n\n".join(
        (
            table([*headers, "epochs", "seconds"], rows),
            told,
            others,
            table(["rungs after", "goes on: one in", *headers[2:], "epochs", "seconds"], ways),
        )
    )


def _way(
    first: RunSpec, studies: Sequence[StudyRecord], size: int, draws: int, way: Halving
) -> tuple[object, ...]:
    with halving_by(way):
        found = [(halved(first, curves), trained(curves)) for curves in drawn(studies, size, draws)]
    return (", ".join(map(str, way.rungs)), way.reduction, *_compared(found))


def _rows(
    first: RunSpec, studies: Sequence[StudyRecord], size: int, draws: int
) -> Iterator[tuple[object, ...]]:
    found: dict[str, list[tuple[Outcome, Outcome]]] = {
        "all": [],
        "halving": [],
        "as many epochs": [],
    }
    for curves in drawn(studies, size, draws):
        full, halving = trained(curves), halved(first, curves)
        found["all"].append((full, full))
        found["halving"].append((halving, full))
        found["as many epochs"].append((trained(affordable(curves, halving.epochs)), full))
    for what, some in found.items():
        yield size, what, *_compared(some)


def _compared(found: Sequence[tuple[Outcome, Outcome]]) -> tuple[object, ...]:
    """Return the columns that compare studies with those that train all trials to their ends."""
    return (
        f"{fmean(one.ended for one, _ in found):.1f}",
        over(one.chosen for one, _ in found),
        f"{fmean(one.chosen / full.chosen for one, full in found):.1%}",
        figure(fmean(full.chosen - one.chosen for one, full in found)),
        f"{fmean(one.chosen == full.chosen for one, full in found):.0%}",
        f"× {fmean(one.epochs / full.epochs for one, full in found):.2f}",
        f"× {fmean(one.seconds / full.seconds for one, full in found):.2f}",
    )
