"""The files in a run's folder, ``runs/<run id>/``, which the store is an index of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from engine.errors import RunError, shown
from engine.files.atomic import name_aimed_at

RUN_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,119}")
_JOURNAL = re.compile(r"journal-(0|[1-9][0-9]{0,8})\.jsonl")
_JOB = re.compile(r"job-(0|[1-9][0-9]{0,8})\.json")
_EVALUATION = re.compile(r"evaluation-([a-z][a-z-]{0,39})\.json")
_CHECKPOINT = re.compile(r"checkpoint-(0|[1-9][0-9]{0,8})(?:\.before)?\.pt")
_WORKERS = re.compile(r"(checkpoint-.*|model)\.pt|test_.*\.npy")
"""Large files that only workers write."""


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run's files. Only the methods that list files access the disk."""

    path: Path

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def spec(self) -> Path:
        """The full configuration (`engine.spec.RunSpec` as JSON)."""
        return self.path / "spec.json"

    @property
    def meta(self) -> Path:
        """What users add to a run (note, tags, place in the queue), written by the supervisor."""
        return self.path / "meta.json"

    @property
    def log(self) -> Path:
        """stdout and stderr of all attempts, in order."""
        return self.path / "log.txt"

    @property
    def cancel(self) -> Path:
        """Present if SIGTERM means that the user cancelled the run, not that the machine shuts
        down."""
        return self.path / "cancel"

    @property
    def promoted(self) -> Path:
        """Of a trial of a study with successive halving, the epoch that it may train to."""
        return self.path / "promoted"

    @property
    def reserve(self) -> Path:
        """A file that the worker deletes to make room for its journal's ``end`` on a full disk."""
        return self.path / "reserve"

    @property
    def lock(self) -> Path:
        """Locked (flock) by the run's worker while it is alive."""
        return self.path / "attempt.lock"

    @property
    def code(self) -> Path:
        """The file that defines the run's model, if that doesn't come with seqbench."""
        return self.path / "model.py"

    @property
    def best_model(self) -> Path:
        """Weights of the best epoch."""
        return self.path / "model.pt"

    @property
    def test_ranks(self) -> Path:
        """The rank of each target in test, int32 (2, targets): among all items, seen masked."""
        return self.path / "test_ranks.npy"

    @property
    def test_users(self) -> Path:
        """The number of each target's user, int32 (targets,), ascending; absent if every user has
        one target."""
        return self.path / "test_users.npy"

    @property
    def test_top(self) -> Path:
        """The items with the highest scores for each test user, the smallest unsigned integers that
        hold V (users, 100), or (users, V) if there are fewer; absent in runs of earlier
        versions."""
        return self.path / "test_top.npy"

    @property
    def test_top_masked(self) -> Path:
        """The same with the user's seen items masked; 0 where fewer items are left."""
        return self.path / "test_top_masked.npy"

    @property
    def results(self) -> Path:
        """Results that were computed after the run, where its journal doesn't have them: of a run
        of an earlier version."""
        return self.path / "results.json"

    def evaluation(self, rule: str) -> Path:
        """The metrics of the chosen epoch's model under another rule of targets."""
        return self.path / f"evaluation-{rule}.json"

    def evaluation_ranks(self, rule: str) -> Path:
        """The ranks of that rule's targets, int32 (3, targets): among all items, seen masked, and
        the number of each target's user."""
        return self.path / f"evaluation-{rule}.npy"

    def evaluations(self) -> list[str]:
        """List the names of the other rules that the run was evaluated under, sorted."""
        matches = map(_EVALUATION.fullmatch, _names(self.path))
        return sorted(match[1] for match in matches if match)

    def journal(self, attempt: int) -> Path:
        return self.path / f"journal-{attempt}.jsonl"

    def job(self, attempt: int) -> Path:
        """The attempt's job id on a cluster; present once it is submitted."""
        return self.path / f"job-{attempt}.json"

    def job_script(self, attempt: int) -> Path:
        """The job script that was submitted."""
        return self.path / f"job-{attempt}.sh"

    def checkpoint(self, attempt: int) -> Path:
        return self.path / f"checkpoint-{attempt}.pt"

    def checkpoint_before(self, attempt: int) -> Path:
        """The checkpoint before the newest, in case the newest is damaged."""
        return self.path / f"checkpoint-{attempt}.before.pt"

    def journals(self) -> list[tuple[int, Path]]:
        """List the journals by attempt number, oldest first."""
        return _numbered(self.path, _JOURNAL)

    def newest_attempt(self) -> int:
        """Return the number of the newest attempt that was begun or submitted; 0 if there is
        none."""
        begun = [*_numbered(self.path, _JOURNAL), *_numbered(self.path, _JOB)]
        return max((attempt for attempt, _ in begun), default=0)

    def checkpoints(self) -> list[tuple[int, Path]]:
        """List the checkpoints by attempt number, oldest first."""
        return _numbered(self.path, _CHECKPOINT)

    def half_written(self) -> list[Path]:
        """List the large files that a worker is writing, or was when it was killed."""
        names = ((name, name_aimed_at(name)) for name in _names(self.path))
        return [self.path / name for name, aim in names if aim and _WORKERS.fullmatch(aim)]


def run_folder(runs: Path, run_id: str) -> RunFolder:
    """Return the folder of a run.

    Raises:
        RunError: the id is invalid, such as one that would lead out of ``runs``.
    """
    if not RUN_ID.fullmatch(run_id) or ".." in run_id:
        raise RunError(
            f"{shown(run_id)} isn't a run's id: the database was edited; `seqbench db rebuild` "
            "rebuilds it."
        )
    return RunFolder(runs / run_id)


def _numbered(folder: Path, pattern: re.Pattern[str]) -> list[tuple[int, Path]]:
    matches = map(pattern.fullmatch, _names(folder))
    return sorted((int(match[1]), folder / match[0]) for match in matches if match)


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):  # deleted, perhaps a moment ago
        return []
