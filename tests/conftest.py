"""Shared by all tests: where real data is, and surroundings apart from the user's."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from held import end_supervisor
from nvidia import Machine, build_driver
from zygote import AT_ONCE, PLACE, start_zygote

from engine.asking import modelcheck, predictions, reevaluation
from engine.judge import ask as judging
from engine.machine import estimates
from engine.modelinfo import ask as describing
from engine.modelinfo import own_settings
from engine.store import database
from engine.store.intake import rebuild
from engine.supervisor import start

# What a script starts in the background ignores ctrl+c, and so would every program of ours.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that has much else to do is no mistake. `make test` tries the same examples each time,
# so that it judges the change at hand; `make test-all` searches for new ones, and longer.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.register_profile("searching", deadline=None)
hypothesis.settings.load_profile("repeatable")

DATA = os.environ.get("SEQBENCH_DATA")


LONGEST_ID = 60
"""Characters of a parameter in a test's name."""


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A test's name is the same in every process, though an archive tells when it was made."""
    unfit = isinstance(val, bytes) or (isinstance(val, str) and len(val) > LONGEST_ID)
    return argname if unfit else None


# Thousands of tests are never garbage: looking for it among them takes seconds of each process.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from now on, among what comes."""
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Start the zygote, one for all processes of a session."""
    if PLACE in os.environ:
        return
    zygote = start_zygote()

    def end() -> None:
        zygote.kill()
        zygote.wait()
        shutil.rmtree(os.environ.pop(PLACE))

    config.add_cleanup(end)


@pytest.fixture
def own_process() -> None:
    """What seqbench asks of a process, one that it starts itself tells."""


@pytest.fixture(autouse=True)
def processes_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have processes that load torch forked from one that has, but in tests with `own_process`."""
    describing._end()
    if "own_process" in request.fixturenames:
        return
    for module, name in (
        (modelcheck, "CHECK"),
        (reevaluation, "EVALUATE"),
        (predictions, "RECOMMEND"),
        (judging, "JUDGE"),
        (estimates, "MEASURE"),
        (describing, "DESCRIBE"),
    ):
        command = getattr(module, name)
        monkeypatch.setattr(module, name, (*AT_ONCE, *command[3:]))


@pytest.fixture
def real_data() -> Path:
    """The folder with the original data sets; the test is skipped where there is none."""
    if not DATA or not Path(DATA).is_dir():
        pytest.skip("SEQBENCH_DATA names no folder with the original data sets")
    return Path(DATA)


@pytest.fixture(autouse=True)
def own_surroundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep every test out of the user's store, cache and configuration.

    What is known of models is kept for all tests: finding it out takes a process with torch.
    """
    monkeypatch.setattr(own_settings, "_met", ())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp().parent / "kept"))
    monkeypatch.setenv("SEQBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    for name in (
        "SEQBENCH_DB",
        "SEQBENCH_CONFIG",
        "SEQBENCH_MODEL_PATH",
        "NO_COLOR",
        "TMUX",
        "STY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", autouse=True)
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The database of a new store, made once: each store that tests make here begins as a copy of
    it, without the hundreds of statements of all migrations."""
    empty = tmp_path_factory.mktemp("empty") / "runs.db"

    def make_database(path: Path, lasting: Path) -> None:
        if database.network_filesystem(lasting) is not None:
            database.make_database(path, lasting)
            return
        if not empty.exists():
            database.make_database(empty, empty)
        shutil.copyfile(empty, path)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(rebuild, "make_database", make_database)
        yield empty


@pytest.fixture(autouse=True)
def no_training_outlives_its_test() -> Iterator[None]:
    """End the supervisors that the commands of a test started here, and their workers."""
    before = set(start._started)
    yield
    for pid in set(start._started) - before:
        end_supervisor(pid)


@pytest.fixture(scope="session")
def nvidia_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def nvidia(nvidia_driver: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine whose NVIDIA GPUs are what the test says they are."""
    return Machine(nvidia_driver, tmp_path_factory.mktemp("nvidia") / "state")
