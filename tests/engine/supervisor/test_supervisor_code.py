"""Runs of users' own models: their file goes along, and no other file is ever run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from rehearsal import Look

from engine.config import Catalogue
from engine.modelinfo.copies import keep_copy
from engine.spec import Code, RunSpec
from engine.store.database import StoreConnection
from engine.store.intake.folders import save_unsaved
from engine.store.location import StoreLocation
from engine.store.requests import enqueue_planned

CONTENT = b"MODEL = None\n"


@dataclass(frozen=True)
class Planned:
    """A run to be queued whose parameters nobody counts: its worker is a rehearsal."""

    spec: RunSpec
    parameters: int = 1

    @property
    def fingerprint(self) -> str:
        return self.spec.fingerprint()


@pytest.fixture
def own(location: StoreLocation, catalogue: Catalogue) -> Callable[[str], str]:
    """Enqueue a rehearsal whose model is defined by a file with this SHA-256."""

    def queue_it(digest: str) -> str:
        spec = catalogue.run_spec("sasrec", "synthetic", 50, 1)
        code = Code(file="mine.py", sha256=digest)
        spec = spec.model_copy(update={"profile": "quick", "code": code})
        (run,) = enqueue_planned(location, [Planned(spec)])
        return run

    return queue_it


def test_a_run_folder_gets_the_file_that_the_run_was_queued_with(
    own: Callable[[str], str],
    writer: StoreConnection,
    location: StoreLocation,
    work: Callable[..., None],
    look: Look,
) -> None:
    run = own(keep_copy(CONTENT))
    assert save_unsaved(writer, location) == set()
    assert location.folder(run).code.read_bytes() == CONTENT
    work(lambda: look.states() == ["done"], "the end")


def test_a_file_in_the_run_folder_that_is_another_is_replaced(
    own: Callable[[str], str],
    writer: StoreConnection,
    location: StoreLocation,
    work: Callable[..., None],
    look: Look,
) -> None:
    run = own(keep_copy(CONTENT))
    save_unsaved(writer, location)
    location.folder(run).code.write_bytes(b"import os\n")
    work(lambda: look.states() == ["done"], "the end")
    assert location.folder(run).code.read_bytes() == CONTENT


def test_a_file_that_the_user_does_not_have_is_not_run_though_it_lies_in_the_folder(
    own: Callable[[str], str],
    writer: StoreConnection,
    location: StoreLocation,
    work: Callable[..., None],
    look: Look,
    tmp_path: Path,
) -> None:
    digest = keep_copy(CONTENT)
    run = own(digest)
    save_unsaved(writer, location)
    (kept,) = tmp_path.rglob(f"{digest}.py")
    kept.unlink()
    assert location.folder(run).code.exists()
    work(lambda: look.states() == ["failed"], "the failure")
    message = look.run(run).message
    assert message is not None
    assert "mine.py" in message
    assert "put that file into models/" in message
    assert not location.folder(run).log.exists()
