"""Matches the runs that a suite asks for with those in the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.config import Catalogue
from engine.lifecycle import STATES
from engine.spec import RunSpec, Suite
from engine.store.queries import Run

_BEST_STATES = list(dict.fromkeys(("done", "running", *STATES)))


@dataclass(frozen=True)
class Planned:
    """A run that the suite asks for, and the best run of the store that equals it."""

    spec: RunSpec
    state: str | None
    """``None`` if it was never launched."""
    run: str | None
    message: str


@dataclass(frozen=True)
class SuiteRuns:
    """A suite, and the runs that were launched as it."""

    suite: Suite
    """The suite, with the seeds of the launched runs in place of its own."""
    named_seeds: tuple[int, ...]
    """The seeds that the suite itself lists."""
    runs: tuple[Planned, ...]
    other_cells: tuple[Run, ...] = ()
    """Finished runs that were launched as the suite, of cells that it doesn't list."""
    other_settings: tuple[Run, ...] = ()
    """Finished runs launched as the suite, of its cells, with settings that differ from its own."""

    @property
    def ids(self) -> set[str]:
        """Return the ids of all these runs."""
        beside = (*self.other_cells, *self.other_settings)
        return {each.run for each in self.runs if each.run} | {run.id for run in beside}


def suite_runs(catalogue: Catalogue, suite: Suite, runs: Sequence[Run]) -> SuiteRuns:
    """Find the runs of a suite: those with its name, and any other that equals one of its runs.

    The seeds are the suite's own, unless runs were launched as it with others: then the seeds of
    these runs are expected for all of its cells.

    Raises:
        UsageError: the suite can't be run.
    """
    launched = [run for run in runs if run.suite == suite.name]
    seeds = {run.seed for run in launched}
    counted = suite.seeds if seeds <= set(suite.seeds) else tuple(sorted(seeds))
    counted_suite = suite.model_copy(update={"seeds": counted})
    wanted = {spec.fingerprint(): spec for spec in catalogue.expand(counted_suite)}
    cells = {(spec.model, spec.dataset, spec.length) for spec in wanted.values()}
    beside = [run for run in launched if run.state == "done" and run.fingerprint not in wanted]
    return SuiteRuns(
        suite=counted_suite,
        named_seeds=suite.seeds,
        runs=tuple(_planned(wanted, runs)),
        other_cells=tuple(run for run in beside if _cell(run) not in cells),
        other_settings=tuple(run for run in beside if _cell(run) in cells),
    )


def _cell(run: Run) -> tuple[str, str, int]:
    return run.model, run.dataset, run.length


def _planned(wanted: dict[str, RunSpec], runs: Iterable[Run]) -> Iterator[Planned]:
    """Yield each run of the suite, with the run of the store that came furthest (done first)."""
    known: dict[str, Run] = {}
    for run in runs:
        other = known.get(run.fingerprint)
        if other is None or _rank(run) < _rank(other):
            known[run.fingerprint] = run
    for fingerprint, spec in wanted.items():
        found = known.get(fingerprint)
        if found is None:
            yield Planned(spec, None, None, "")
        else:
            yield Planned(spec, found.state, found.id, found.message or "")


def _rank(run: Run) -> int:
    """Return how far a run came, 0 the furthest; a state of another version comes last."""
    known = run.state in _BEST_STATES
    return _BEST_STATES.index(run.state) if known else len(_BEST_STATES)
