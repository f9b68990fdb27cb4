"""Whether a verdict on cells is possible at all, and what to do if not.
 It isn't if a cell has fewer than two seeds, since nothing is known about how another seed would
turn out (a fitted model is the same for every seed, so one is enough); if one of its runs is marked
for its data, or was still improving when it reached its epoch limit, since its metric then isn't
the model's; or if it has no ranks of test users.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.analysis.export import listed
from engine.analysis.run.relaunch import Launch, launch_commands, proposed_limit
from engine.marks import OF_DATA, STILL_IMPROVING, in_order
from engine.order import more_seeds

_MOST = 4
"""Cells, and commands, that a sentence names; more are counted."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is known about a cell, or a single run, that a claim would concern."""

    label: str
    seeds: int
    marks: tuple[str, ...] = ()
    """Those of any of its runs (`engine.marks`)."""
    improving: tuple[str, ...] = ()
    """Ids of the runs that were still improving at their epoch limit."""
    launch: Launch | None = None
    """How its runs are launched; None if that isn't known."""
    numbers: tuple[int, ...] = ()
    """Its seeds, where they are known."""
    ranked: bool = True
    """Whether there are ranks of its test users."""
    fitted: bool = False
    """Whether its model is fitted, not trained: every seed gives the same, so one is enough."""


@dataclass(frozen=True, slots=True)
class Untold:
    """Why no verdict is possible."""

    reason: str
    """Such as ``one seed each``."""
    commands: tuple[str, ...] = ()
    """What to run to make one possible."""

    @property
    def sentence(self) -> str:
        """The reason and the commands, without a full stop."""
        told = f"{self.reason}: no conclusion"
        if self.commands:
            some = [f"`{command}`" for command in self.commands[:_MOST]]
            if (more := len(self.commands) - _MOST) > 0:
                some.append(f"{more} more like these")
            told += f"; {listed(some)}"
        return told


def untold(*sides: Side) -> Untold | None:
    """Return why nothing can be claimed about these cells, or about one and a published result;
    None if a verdict is possible."""
    reasons: list[str] = []
    commands: list[str] = []
    if few := [side for side in sides if side.seeds < 2 and not side.fitted]:
        reasons.append(_one_seed(few, every=len(few) == len(sides)))
        commands += _seed_commands([side for side in few if STILL_IMPROVING not in side.marks])
    if unfinished := [side for side in sides if STILL_IMPROVING in side.marks]:
        was, its = ("was", "its") if _is_one(unfinished) else ("were", "their")
        reasons.append(f"{_names(unfinished)} {was} still improving at {its} epoch limit")
        commands += _limit_commands(unfinished)
    reasons += _of_data(sides)
    if unranked := [side for side in sides if not side.ranked]:
        have = "has" if _is_one(unranked) else "have"
        reasons.append(f"{_names(unranked)} {have} no ranks of test users")
    if not reasons:
        return None
    return Untold(", and ".join(reasons), tuple(dict.fromkeys(commands)))


def _names(sides: Sequence[Side]) -> str:
    labels = list(dict.fromkeys(side.label for side in sides))
    return listed(labels) if len(labels) <= _MOST else f"{len(labels)} of the cells"


def _is_one(sides: Sequence[Side]) -> bool:
    """Whether `_names` gives a single name, as of cells of several data sets that are called
    alike."""
    return len({side.label for side in sides}) == 1


def _one_seed(few: Sequence[Side], *, every: bool) -> str:
    if every:
        return "one seed each" if len(few) > 1 else "one seed"
    return f"{_names(few)} {'has one seed' if _is_one(few) else 'have one seed each'}"


def _seed_commands(few: Sequence[Side]) -> list[str]:
    if not few:
        return []
    seeds = _enough_seeds(few)
    launches = [side.launch for side in few if side.launch is not None]
    if len(launches) < len(few):
        return [f"seqbench run … --seed {','.join(map(str, seeds))}"]
    return launch_commands(launches, seeds)


def _enough_seeds(few: Sequence[Side]) -> tuple[int, ...]:
    """Return the seeds that cells with one are advised to be run with."""
    return more_seeds(min((seed for side in few for seed in side.numbers), default=1))


def _limit_commands(unfinished: Sequence[Side]) -> Iterator[str]:
    """Yield the commands that give cells a higher epoch limit.
     Runs of different limits make no cell. So runs are continued only if all of their cell's are;
    if some stopped early, or there is only one, the cell's seeds are run with the higher limit.
    """
    together = [
        side for side in unfinished if len(side.improving) in (0, side.seeds) and side.seeds > 1
    ]
    of_limit: dict[str, list[str]] = {}
    for side in together:
        epochs = side.launch.epochs if side.launch is not None else None
        limit = "N" if epochs is None else str(proposed_limit(epochs))
        of_limit.setdefault(limit, []).extend(side.improving or ("RUN",))
    for limit, runs in of_limit.items():
        yield shlex.join(["seqbench", "continue", *dict.fromkeys(runs), "--epochs", limit])
    for side in unfinished:
        if side not in together:
            seeds = (side.numbers if side.seeds > 1 else ()) or _enough_seeds([side])
            if side.launch is None:
                yield f"seqbench run … --seed {','.join(map(str, seeds))} --set epochs=N"
            else:
                yield from launch_commands([side.launch.further], seeds)


def _of_data(sides: Sequence[Side]) -> Iterator[str]:
    for mark in in_order(OF_DATA):
        if marked := [side for side in sides if mark in side.marks]:
            yield f"the data of {_names(marked)} are marked {mark}"
