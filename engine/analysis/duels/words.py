"""Sentences on a duel: its verdict, or how it stands."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.analysis.claims.claim import NONE_SHOWN, POWER
from engine.analysis.columns.text import signed
from engine.analysis.duels.looks import LEAST_CHANCE, Look
from engine.analysis.duels.stored import Duel


def verdict(duel: Duel) -> str:
    """Say in a sentence or two what a duel has come to, with its figures."""
    one, other = duel.models
    where = f"on {duel.dataset} at length {duel.length}"
    if duel.outcome == "no conclusion":
        return f"{one} against {other} {where}: {_why(duel)}."
    last = duel.last
    if last is None:
        return (
            f"{one} against {other} {where}: not decided yet: it begins with {_first(duel)} each."
        )
    if duel.winner is not None:
        loser = other if duel.winner == one else one
        means = last.means if duel.winner == one else last.means[::-1]
        return (
            f"{duel.winner} is better than {loser} {where}: NDCG@10/test {means[0]:.4f} against "
            f"{means[1]:.4f}, {_difference(last, turned=duel.winner != one)}, shown with "
            f"{last.seeds} of at most {duel.most} seeds each."
        )
    figures = (
        f"NDCG@10/test {last.means[0]:.4f} against {last.means[1]:.4f}, {_difference(last)}, with "
        f"{last.seeds} of at most {duel.most} seeds each"
    )
    named = f"{one} and {other} {where}"
    if duel.outcome == "going on":
        state = "stopped before it was decided" if duel.over else "not decided yet"
        return f"{named}: {state}: {figures}. {_power(duel)}"
    early = f", and {duel.most} seeds would hardly show one" if duel.outcome == "futile" else ""
    return f"{named}: {NONE_SHOWN}{early}: {figures}. {_power(duel)}"


def note(duel: Duel) -> str:
    """Say how a duel's looks are to be read."""
    return (
        "The settings of each model are those that did best on validation, with the same budget. "
        f"The paired test over users and seeds is looked at from {_first(duel)} on, after every "
        "further one. Each look has its own level, so that all together find a difference where "
        "there is none in 5 % of cases at most; brackets hold the interval at that level. A duel "
        f"ends early if the chance that seed {duel.most} decides is below "
        f"{100 * LEAST_CHANCE:.0f} %. Tests elsewhere aren't corrected for looking several times."
    )


def as_json(duel: Duel) -> dict[str, Any]:
    """Return a duel for programs."""
    return {
        "models": duel.models,
        "metric": "NDCG@10/test",
        "outcome": duel.outcome,
        "winner": duel.winner,
        "verdict": verdict(duel),
        "seeds": duel.last.seeds if duel.last else 0,
        "tried": duel.tried,
        "most": duel.most,
        "users": duel.users,
        "over": duel.over,
        "looks": [asdict(look) for look in duel.looks],
        "outlook": asdict(duel.outlook) if duel.outlook else None,
    }


def _why(duel: Duel) -> str:
    if duel.untold is not None:
        return duel.untold.sentence
    if not duel.tried:
        return "of one of them no trial is done: no conclusion"
    return f"fewer than {_first(duel)} of both are done: no conclusion"


def _first(duel: Duel) -> str:
    return f"{duel.study.final_seeds} seeds"


def _difference(look: Look, *, turned: bool = False) -> str:
    sign = -1 if turned else 1
    low, high = sorted((sign * look.low, sign * look.high))
    return f"{signed(sign * look.difference)} [{signed(low)}, {signed(high)}]"


def _power(duel: Duel) -> str:
    if duel.outlook is None:
        return ""
    cases = f"in {100 * POWER:.0f} % of cases"
    smallest = f"{duel.most} seeds show differences of {duel.outlook.smallest:.4f} or more {cases}"
    if duel.outcome == "used up":
        return f"{smallest}; smaller ones are hardly shown."
    chance = 100 * duel.outlook.chance
    told = f"{chance:.0f} %" if chance >= 1 else "less than 1 %"
    return f"The chance that {duel.most} seeds decide is {told}; {smallest}."
