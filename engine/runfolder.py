"""What lies where in a run's folder, ``runs/<run id>/``: the truth the store is an index of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from engine.errors import RunError, shown

RUN_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,119}")
_JOURNAL = re.compile(r"journal-(0|[1-9][0-9]{0,8})\.jsonl")
_JOB = re.compile(r"job-(0|[1-9][0-9]{0,8})\.json")
_CHECKPOINT = re.compile(r"checkpoint-(0|[1-9][0-9]{0,8})(?:\.before)?\.pt")


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run. Nothing here touches the disk but the listings."""

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
        """What only people add (note, tags, place in the queue), kept by the supervisor."""
        return self.path / "meta.json"

    @property
    def log(self) -> Path:
        """stdout and stderr of the workers, one attempt after the other."""
        return self.path / "log.txt"

    @property
    def cancel(self) -> Path:
        """Present when a TERM means "cancelled by the user" and not "the machine goes down"."""
        return self.path / "cancel"

    @property
    def reserve(self) -> Path:
        """Room on the disk that the worker gives up for its last words when there is no other."""
        return self.path / "reserve"

    @property
    def lock(self) -> Path:
        """Locked (flock) by the run's worker for as long as it lives."""
        return self.path / "attempt.lock"

    @property
    def best_model(self) -> Path:
        """Weights of the epoch chosen on validation."""
        return self.path / "model.pt"

    @property
    def test_ranks(self) -> Path:
        """Each test user's rank of the true item, int32 (2, users): all items, seen masked."""
        return self.path / "test_ranks.npy"

    def journal(self, attempt: int) -> Path:
        return self.path / f"journal-{attempt}.jsonl"

    def job(self, attempt: int) -> Path:
        """The number that a cluster's scheduler gave to the attempt; there once it is submitted."""
        return self.path / f"job-{attempt}.json"

    def job_script(self, attempt: int) -> Path:
        """What was submitted."""
        return self.path / f"job-{attempt}.sh"

    def checkpoint(self, attempt: int) -> Path:
        return self.path / f"checkpoint-{attempt}.pt"

    def checkpoint_before(self, attempt: int) -> Path:
        """The one that `checkpoint` took the place of, should that turn out damaged."""
        return self.path / f"checkpoint-{attempt}.before.pt"

    def journals(self) -> list[tuple[int, Path]]:
        """Attempt number and path of every journal, oldest attempt first."""
        return _numbered(self.path, _JOURNAL)

    def newest_attempt(self) -> int:
        """The newest that began or was submitted; 0 if there is none."""
        begun = [*_numbered(self.path, _JOURNAL), *_numbered(self.path, _JOB)]
        return max((attempt for attempt, _ in begun), default=0)

    def checkpoints(self) -> list[tuple[int, Path]]:
        """Attempt number and path of every checkpoint, oldest first."""
        return _numbered(self.path, _CHECKPOINT)


def run_folder(runs: Path, run_id: str) -> RunFolder:
    """The folder of a run; an id that could leave ``runs`` is refused.

    Raises:
        RunError: the id isn't one.
    """
    if not RUN_ID.fullmatch(run_id) or ".." in run_id:
        raise RunError(
            f"{shown(run_id)} is no run's id: the database was changed by hand, "
            "`seqbench db rebuild` makes it anew."
        )
    return RunFolder(runs / run_id)


def _numbered(folder: Path, pattern: re.Pattern[str]) -> list[tuple[int, Path]]:
    try:
        names = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):  # deleted, perhaps a moment ago
        return []
    matches = (pattern.fullmatch(name) for name in names)
    return sorted((int(match[1]), folder / match[0]) for match in matches if match)
