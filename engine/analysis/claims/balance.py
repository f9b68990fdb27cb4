"""Sentences on what speaks for a model, what against it, and what is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from engine.analysis.claims.claim import NONE_SHOWN
from engine.analysis.claims.rule import untold
from engine.analysis.claims.words import difference_text, times_text
from engine.analysis.columns.text import figure
from engine.analysis.costs import EPOCH, PARAMETERS, SPEED_1, TO_BEST, Cost, CostedCell
from engine.analysis.export import listed

if TYPE_CHECKING:
    from engine.analysis.tradeoffs import Weighed

OTHER_DEVICES = "Times, energy, memory and rates of runs on different devices aren't compared."
OTHER_ENERGY = "Energy isn't compared where it is of different devices, such as GPU and GPU + CPU."
DISTURBED = "Times, energy, memory and rates of marked runs aren't compared."
ONE_SEED = "Times, energy, memory and rates of a cell with one seed aren't compared."
UNFINISHED = (
    "For runs that were still improving at their limit, the time and the energy of training to the "
    "chosen epoch aren't compared."
)

Role = Literal["winner", "loser"]


def balance_sentence(weighed: Sequence[Weighed], role: Role) -> str:
    """Say what comparisons, all in the same metric or cost, mean for the cell in this role."""
    own = weighed[0].figures[0 if role == "winner" else 1]
    cost = weighed[0].cost
    others = listed(_other(each, role) for each in weighed)
    if cost is None:
        word = "above" if role == "winner" else "below"
        return f"{weighed[0].claim.figure} of {own:.4f}, {word} {others}."
    between = ":" if _has_more(cost, role) else ";"
    return f"{_subject(cost, own)}{between} {others}."


def open_sentences(weighed: Sequence[Weighed], cell: CostedCell) -> Iterator[str]:
    """Say which of a cell's comparisons of quality show no difference, and which allow no
    conclusion: because of the cell itself, and because of others, in a sentence each."""
    because_of_it: list[CostedCell] = []
    because_of_others: list[CostedCell] = []
    for each in weighed:
        other = each.loser if each.winner is cell else each.winner
        if each.claim.untold is not None:
            barred = untold(other.cell.side) is not None
            (because_of_others if barred else because_of_it).append(other)
            continue
        text = (
            f"{each.claim.figure} against {other.label}: "
            f"{difference_text(each.claim, turned=each.winner is not cell)}: {NONE_SHOWN}"
        )
        if each.missing:
            more = f"{each.missing} more {'seed' if each.missing == 1 else 'seeds'} each"
            text += f"; about {more} would decide, if the difference is as large as it looks"
        yield f"{text}."
    for others in filter(None, (because_of_it, because_of_others)):
        why = untold(cell.cell.side, *(each.cell.side for each in others))
        assert why is not None  # each of them is untold
        labels = listed(each.label for each in others)
        yield f"{weighed[0].claim.figure} against {labels}: {why.reason}: no conclusion."


def _other(weighed: Weighed, role: Role) -> str:
    """Name the other cell of a comparison, and the difference to it."""
    other = weighed.loser if role == "winner" else weighed.winner
    value = weighed.figures[1 if role == "winner" else 0]
    claim, cost = weighed.claim, weighed.cost
    if cost is None:
        told = difference_text(claim, turned=role == "loser")
        return f"{other.label} ({value:.4f}: {told})"
    times = times_text(claim.estimate)
    if not cost.exact:
        times += f" [{times_text(claim.low)}, {times_text(claim.high)}]"
    that = "times" if _has_more(cost, role) else "times that with"
    unit = f" {cost.unit}" if cost.unit else ""
    return f"{times} {that} {other.label} ({figure(value, cost.kind)}{unit})"


def _has_more(cost: Cost, role: Role) -> bool:
    """Whether the cell in this role has the larger value."""
    return (cost.better == "higher") == (role == "winner")


def _subject(cost: Cost, own: float) -> str:
    shown = figure(own, cost.kind)
    if cost is PARAMETERS:
        return f"{shown} parameters"
    if cost in (EPOCH, TO_BEST):
        return f"{cost.title} takes {shown} s"
    if cost.better == "higher":
        how = "at batch size 1" if cost is SPEED_1 else "at batch size 256"
        return f"Recommends for {shown} users per second, {how}"
    return f"{cost.title} is {shown} {cost.unit}"
