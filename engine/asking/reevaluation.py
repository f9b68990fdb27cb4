"""Evaluating finished runs, in a process of their own, which loads their models: under another rule
of targets, or for what runs of earlier versions lack of their own results."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from engine.asking.process import asked
from engine.datasets.splitting.otherrule import asked_rule, rule_name
from engine.errors import DataError, StoreError, UserError
from engine.metrics import LIST_RESULTS
from engine.results.evaluations import Evaluation, read_evaluation, read_evaluation_ranks
from engine.results.files import read_results
from engine.runfolder import RunFolder
from engine.spec import Targets
from engine.spec.data import SplitKind
from engine.spec.identity import PROTOCOL
from engine.specfile import load_spec
from engine.store.connect import connect_reader
from engine.store.database import StoreConnection
from engine.store.intake.code import allow_code
from engine.store.intake.evaluations import keep_evaluations
from engine.store.intake.results import keep_results, kept_results
from engine.store.location import StoreLocation
from engine.store.requests import transact

EVALUATE = (sys.executable, "-P", "-m", "engine.worker.evaluate")

NICENESS = 10
"""Of the process, so that the app comes first."""


@dataclass(frozen=True)
class Evaluated:
    """What became of one run."""

    run: str
    found: Evaluation | None = None
    problem: str = ""
    """Why there is no evaluation, with what to do, after the run's name."""


@dataclass(frozen=True)
class Completed:
    """What became of one run's own results."""

    run: str
    results: Mapping[str, float] = field(default_factory=dict)
    """All that it has now, by the names in `engine.metrics.RESULT_OF`."""
    problem: str = ""
    """Why nothing could be computed, after the run's name."""
    lacks: str = ""
    """Why there is nothing of what is recommended, if only that is missing."""
    had: bool = False
    """Whether there was nothing to compute."""


def evaluate(
    location: StoreLocation,
    runs: Sequence[str],
    kind: SplitKind | None,
    targets: Targets | None,
) -> Iterator[Evaluated]:
    """Evaluate finished runs under another rule, and keep that in their folders and in the store.
    What is kept already isn't made again.

    Args:
        runs: ids of runs that are done.
        kind, targets: as in `engine.datasets.splitting.otherrule.asked_rule`.

    Yields:
        What became of each run, in their order.
    """
    asked = [_prepared(location.folder(run), kind, targets) for run in runs]
    left = [folder for folder in asked if isinstance(folder, RunFolder)]
    rule = {"kind": kind, "targets": targets}
    answers = _answers([{"folder": str(each.path.absolute()), "rule": rule} for each in left])
    for run, each in zip(runs, asked, strict=True):
        if isinstance(each, RunFolder):
            answer = next(answers)
            problem = answer.get("problem", "")
            each = Evaluated(run, problem=problem) if problem else _kept(location, each, answer)
        elif each.found is not None:
            _index(location, location.folder(run))  # it may have been killed before
        yield each


def _prepared(
    folder: RunFolder, kind: SplitKind | None, targets: Targets | None
) -> RunFolder | Evaluated:
    """Return the folder of a run that is to be evaluated, or what is known without that."""
    run = folder.run_id
    try:
        spec = load_spec(folder)
        if spec.trial is not None:
            name = spec.trial.study.name
            return Evaluated(run, problem=f"it is a trial of {name}: a study looks at no test.")
        own = spec.source.split
        rule = asked_rule(own, kind, targets)
        if rule == own:
            return Evaluated(run, problem="this is the rule that it was trained and tested under.")
        allow_code(folder)
    except OSError as error:
        return Evaluated(run, problem=f"{folder.code} can't be written: {error.strerror}.")
    except UserError as error:
        return Evaluated(run, problem=str(error))
    try:
        found = read_evaluation(folder, rule_name(rule))
        read_evaluation_ranks(folder, found.rule)
    except (OSError, ValueError):
        return folder
    return Evaluated(run, found) if found.protocol == PROTOCOL else folder


def _kept(location: StoreLocation, folder: RunFolder, answer: Mapping[str, str]) -> Evaluated:
    try:
        found = read_evaluation(folder, answer["rule"])
        _index(location, folder)
    except (OSError, ValueError, StoreError) as error:
        return Evaluated(folder.run_id, problem=f"its evaluation can't be kept: {error}")
    return Evaluated(folder.run_id, found)


def _index(location: StoreLocation, folder: RunFolder) -> None:
    transact(location, lambda connection: keep_evaluations(connection, folder))


def complete(location: StoreLocation, runs: Sequence[str]) -> Iterator[Completed]:
    """Compute what runs of earlier versions lack of their own results, and keep that in their
    folders and in the store. What a run has recorded itself stays as it is.

    Args:
        runs: ids of runs that are done.

    Yields:
        What became of each run, in their order.
    """
    with closing(connect_reader(location)) as connection:
        kept = kept_results(connection, runs)
    asked = {run: _to_complete(location.folder(run), kept.get(run, {})) for run in runs}
    questions = {run: each for run, each in asked.items() if isinstance(each, dict)}
    answers = _answers(list(questions.values()))
    for run, each in asked.items():
        if isinstance(each, Completed):
            yield each
            continue
        answer = next(answers) if each else {}
        yield _completed(location, location.folder(run), answer)


def _to_complete(folder: RunFolder, kept: Mapping[str, float]) -> Completed | dict[str, Any] | None:
    """Return the question about a run that lacks results; ``None`` if its folder has them, and only
    the store doesn't."""
    run = folder.run_id
    if kept.keys() & LIST_RESULTS.keys():
        return Completed(run, kept, had=True)
    try:
        if read_results(folder).keys() & LIST_RESULTS.keys():
            return None  # it was killed before it told the store
    except (OSError, ValueError):
        pass
    no_model = ""
    try:
        allow_code(folder)
    except OSError as error:
        no_model = f"{folder.code} can't be written: {error.strerror}."
    except UserError as error:
        no_model = str(error)
    return {"folder": str(folder.path.absolute()), "no_model": no_model}


def _completed(location: StoreLocation, folder: RunFolder, answer: Mapping[str, str]) -> Completed:
    run = folder.run_id
    if problem := answer.get("problem"):
        return Completed(run, problem=problem)

    def keep(connection: StoreConnection) -> Mapping[str, float]:
        keep_results(connection, run, found)
        return kept_results(connection, [run]).get(run, {})

    try:
        found = read_results(folder)
        return Completed(run, transact(location, keep), lacks=answer.get("lacks", ""))
    except (OSError, ValueError, StoreError) as error:
        return Completed(run, problem=f"its results can't be kept: {error}")


def _answers(runs: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, str]]:
    """Ask a process about runs; yield what it says of each (`engine.worker.evaluate`). If the
    process ends early, which a lack of memory may bring about, that is the problem of the run that
    it was at, and another one goes on behind it."""
    done = 0
    while done < len(runs):
        for answer in _process(runs[done:]):
            done += 1
            yield answer


def _process(runs: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, str]]:
    told = 0
    try:
        with asked(EVALUATE, {"runs": runs}, NICENESS) as answers:
            with suppress(ValueError):  # a line that its end has cut
                for answer in answers:
                    told += 1
                    yield answer
            if told < len(runs):
                yield {"problem": f"its evaluation ended early{answers.last_words()}"}
    except OSError as error:
        raise DataError(f"No process can be started to evaluate: {error.strerror}.") from None
