"""Evaluating finished runs under another rule of targets, in a process of their own, which loads
their models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.datasets.otherrule import asked_rule, rule_name
from engine.errors import DataError, StoreError, UserError
from engine.limits import process_limits
from engine.machine.environment import background_environment, thread_environment
from engine.machine.priority import lower_priority
from engine.results.evaluations import Evaluation, read_evaluation, read_evaluation_ranks
from engine.runfolder import RunFolder
from engine.spec import Targets
from engine.spec.data import SplitKind
from engine.spec.identity import PROTOCOL
from engine.specfile import load_spec
from engine.store.intake.code import allow_code
from engine.store.intake.evaluations import keep_evaluations
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
        kind, targets: as in `engine.datasets.otherrule.asked_rule`.

    Yields:
        What became of each run, in their order.
    """
    asked = [_prepared(location.folder(run), kind, targets) for run in runs]
    left = [folder for folder in asked if isinstance(folder, RunFolder)]
    answers = _answers(left, kind, targets)
    for run, each in zip(runs, asked, strict=True):
        if isinstance(each, RunFolder):
            rule, problem = next(answers)
            each = _kept(location, each, rule) if rule else Evaluated(run, problem=problem)
        elif each.found is not None:
            _index(location, location.folder(run))  # it may have been killed before
        yield each


def _prepared(
    folder: RunFolder, kind: SplitKind | None, targets: Targets | None
) -> RunFolder | Evaluated:
    """Return the folder of a run that is to be evaluated, or what is known without that."""
    run = folder.run_id
    try:
        own = load_spec(folder).source.split
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


def _kept(location: StoreLocation, folder: RunFolder, rule: str) -> Evaluated:
    try:
        found = read_evaluation(folder, rule)
        _index(location, folder)
    except (OSError, ValueError, StoreError) as error:
        return Evaluated(folder.run_id, problem=f"its evaluation can't be kept: {error}")
    return Evaluated(folder.run_id, found)


def _index(location: StoreLocation, folder: RunFolder) -> None:
    transact(location, lambda connection: keep_evaluations(connection, folder))


def _answers(
    folders: Sequence[RunFolder], kind: SplitKind | None, targets: Targets | None
) -> Iterator[tuple[str, str]]:
    """Ask a process about runs; yield of each the rule's name, or a problem. If the process ends
    early, which a lack of memory may bring about, that is the problem of the run that it was at,
    and another one goes on behind it."""
    done = 0
    while done < len(folders):
        for answer in _process(folders[done:], kind, targets):
            done += 1
            yield answer


def _process(
    folders: Sequence[RunFolder], kind: SplitKind | None, targets: Targets | None
) -> Iterator[tuple[str, str]]:
    question = {
        "runs": [str(folder.path.absolute()) for folder in folders],
        "kind": kind,
        "targets": targets,
    }
    environment = {**background_environment(), **thread_environment(process_limits().cores)}
    told = 0
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                EVALUATE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                cwd=os.sep,
            )
        except OSError as error:
            raise DataError(f"No process can be started to evaluate: {error.strerror}.") from None
        lower_priority(process.pid, NICENESS)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin as asked:
                asked.write(json.dumps(question).encode())
            for line in process.stdout:
                answer = json.loads(line)
                told += 1
                yield answer.get("rule", ""), answer.get("problem", "")
        except (BrokenPipeError, ValueError):
            pass
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
        if told < len(folders):
            errors.seek(0)
            words = errors.read()[-10_000:].decode("utf-8", "replace").strip().splitlines()
            why = f": {words[-1]}" if words else ": is there enough memory?"
            yield "", f"its evaluation ended early{why}"
