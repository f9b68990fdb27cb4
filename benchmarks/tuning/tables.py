"""Tables of what studies found and cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.common import table
from benchmarks.tuning.record import StudyRecord
from engine.analysis.pairs.student import critical
from engine.spread import spread

Kind = tuple[str, str]
LEVEL = 0.05
SHARES = (0.25, 0.5, 0.75, 1.0)
"""Of all trials, after which the best so far is told."""


def told(study: StudyRecord) -> str:
    """One line of a study."""
    return (
        f"{name(study.kind)} {study.repeat}: {figure(study.chosen)}, final seeds "
        f"{over(study.finals)}, recipe {figure(study.recipe)}; {len(study.trials)} trials, "
        f"{study.epochs} epochs, {study.seconds:.0f} s"
    )


def tables(studies: Sequence[StudyRecord]) -> str:
    """All tables of the studies that have ended, as Markdown; what isn't told of those under way is
    said."""
    ended = [each for each in studies if each.ended and each.chosen is not None]
    parts = [
        f"{len(ended)} studies ended, {len(studies) - len(ended)} left out (under way, or nothing "
        "chosen). Figures are NDCG@10 on validation, mean ± standard deviation over seeds."
    ]
    if ended:
        parts += [_summary(ended), _after(ended), _apart(ended)]
    return "\n\n".join(parts)


def _summary(studies: Sequence[StudyRecord]) -> str:
    rows = []
    for kind, some in by_kind(studies).items():
        finals = [each for study in some for each in [spread(study.finals)] if each is not None]
        rows.append(
            (
                name(kind),
                len(some),
                over(study.recipe for study in some),
                over(study.chosen for study in some),
                over(each.mean for each in finals),
                over((study.epochs for study in some), 0),
                over((study.seconds for study in some), 0),
            )
        )
    headers = ["sampler, pruning", "studies", "recipe", "chosen", "its final seeds"]
    return table([*headers, "epochs of trials", "seconds of trials"], rows)


def _after(studies: Sequence[StudyRecord]) -> str:
    most = max(len(study.trials) for study in studies)
    steps = list(dict.fromkeys(max(1, round(most * share)) for share in SHARES))
    rows = [
        (name(kind), *(over(study.best_after(step) for study in some) for step in steps))
        for kind, some in by_kind(studies).items()
        if kind[1] == "none"
    ]
    return table(["best of the first … trials", *map(str, steps)], rows)


def _apart(studies: Sequence[StudyRecord]) -> str:
    """Compare ways of sampling, and of pruning, with the first, seed by seed."""
    kinds = by_kind(studies)
    rows = []
    for a, b in pairs(kinds):
        both = [
            (one, other) for one in kinds[a] for other in kinds[b] if one.repeat == other.repeat
        ]
        if not both:
            continue
        chosen = [(one.chosen or 0.0) - (other.chosen or 0.0) for one, other in both]
        finals = [
            mine.mean - theirs.mean
            for one, other in both
            for mine, theirs in [(spread(one.finals), spread(other.finals))]
            if mine is not None and theirs is not None
        ]
        cost = [one.epochs / other.epochs for one, other in both]
        times = [one.seconds / other.seconds for one, other in both]
        rows.append(
            (
                f"{name(a)} − {name(b)}",
                len(both),
                f"{over(chosen, signed=True)} {interval(chosen)}",
                f"{sum(each > 0 for each in chosen)}:{sum(each < 0 for each in chosen)}",
                f"{over(finals, signed=True)} {interval(finals)}",
                f"× {over(cost, 2)}",
                f"× {over(times, 2)}",
            )
        )
    headers = ["difference by seed", "seeds", "chosen (95 %)", "better:worse", "final seeds (95 %)"]
    return table([*headers, "epochs", "seconds"], rows)


def pairs(kinds: Iterable[Kind]) -> list[tuple[Kind, Kind]]:
    """Return what is compared: the samplers with one way of pruning, pruning with one sampler."""
    found = list(kinds)
    return [(a, b) for a in found for b in found if _pruned_more(a, b) or _sampled_better(a, b)]


def _pruned_more(a: Kind, b: Kind) -> bool:
    return a[0] == b[0] and a[1] != "none" and b[1] == "none"


def _sampled_better(a: Kind, b: Kind) -> bool:
    return a[1] == b[1] and a[0] != "random" and b[0] == "random"


def by_kind(studies: Iterable[StudyRecord]) -> dict[Kind, list[StudyRecord]]:
    """Group studies by sampler and pruning."""
    found: dict[Kind, list[StudyRecord]] = {}
    for study in studies:
        found.setdefault(study.kind, []).append(study)
    return found


def name(kind: Kind) -> str:
    """A sampler and a way of pruning, in words."""
    return ", ".join(kind)


def figure(value: float | None, digits: int = 4, *, signed: bool = False) -> str:
    """A figure as in the field: without the zero before the point."""
    if value is None:
        return "n/a"
    text = f"{value:{'+' if signed else ''},.{digits}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 and digits > 2 else text


def over(values: Iterable[float | None], digits: int = 4, *, signed: bool = False) -> str:
    """A mean and its deviation."""
    found = spread(values)
    if found is None:
        return "n/a"
    mean = figure(found.mean, digits, signed=signed)
    return mean if found.deviation is None else f"{mean} ± {figure(found.deviation, digits)}"


def interval(differences: Sequence[float]) -> str:
    """The interval of a mean difference, by Student's t."""
    found = spread(differences)
    if found is None or found.deviation is None:
        return ""
    half = critical(LEVEL, found.count - 1) * found.deviation / found.count**0.5
    return f"({figure(found.mean - half, signed=True)} to {figure(found.mean + half, signed=True)})"
