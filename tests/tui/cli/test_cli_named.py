"""Every command that writes where the user says: links, pipes and modes stay as they are."""

from __future__ import annotations

import os
import select
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from held import worked_on
from measured_runs import filled_store, give_ranks
from reported_runs import add_reported
from terminals import DEADLINE

from engine.store.location import StoreLocation

Run = Callable[..., Result]

WRITERS = [
    ("t.csv", "compare", "--format", "csv"),
    ("c.json", "compare", "--by-cell", "--format", "json"),
    ("p.xlsx", "compare", "--pivot", "--format", "xlsx"),
    ("p.tex", "compare", "--pivot", "--format", "latex"),
    ("p.md", "compare", "--pairs", "--format", "md"),
    ("i.txt", "compare", "--inflation"),
    ("r.html", "report", "--filter", "model:sasrec length:20"),
    pytest.param(("r.md", "report", "--filter", "model:sasrec length:20"), marks=pytest.mark.slow),
    ("e.csv", "export"),
    ("e.parquet", "export"),
    ("x.tar.zst", "export"),
    ("x.tar.gz", "export", "--filter", "model:sasrec", "--checkpoints"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreLocation]:
    store, _ = filled_store(tmp_path_factory.mktemp("lab"))
    give_ranks(store)
    add_reported(store, "sasrec", 20, 1)
    with worked_on(store.location):
        yield store.location


@pytest.mark.parametrize("writer", WRITERS, ids=lambda words: f"{words[1]} {words[0]}")
def test_links_pipes_and_modes_stay(cli: Run, lab: StoreLocation, writer: tuple[str, ...]) -> None:
    name, command, *options = writer
    words = ("--db", str(lab.db), command, *options, "-o")
    assert cli(*words, name).exit_code == 0
    expected = Path(name).read_bytes()

    old = Path("elsewhere", "old")
    old.parent.mkdir()
    old.write_text("old")
    old.chmod(0o664)
    link = Path(f"link-{name}")
    link.symlink_to(old)
    done = cli(*words, str(link))
    assert (done.exit_code, done.stdout) == (0, "")
    assert f" to {link}" in done.stderr
    assert link.readlink() == old
    assert stat.S_IMODE(old.stat().st_mode) == 0o664
    assert old.read_bytes() == expected or name == "r.md"

    pipe = Path(f"pipe-{name}")
    os.mkfifo(pipe)
    refused = cli(*words, str(pipe))
    assert refused.exit_code == 1
    assert refused.stderr.endswith(f"{pipe} can't be written: nobody reads from this pipe.\n")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(read_all(reader)))
    thread.start()
    done = cli(*words, str(pipe))
    assert done.exit_code == 0, done.stderr
    thread.join()
    assert pipe.is_fifo()
    received = Path("received")
    received.write_bytes(got[0])
    assert received.read_bytes() == expected or name == "r.md"


def read_all(pipe: int) -> bytes:
    """Read from when a writer has come: before, a pipe is at its end."""
    coming = select.poll()
    coming.register(pipe, select.POLLIN)
    coming.poll()
    os.set_blocking(pipe, True)
    with os.fdopen(pipe, "rb") as file:
        return file.read()


def test_what_a_shell_collects_stays(lab: StoreLocation, tmp_path: Path) -> None:
    """``(echo before; seqbench compare -o /proc/self/fd/1; echo after) > collected``"""
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-m", "tui.cli", "--db", str(lab.db), "compare", "--format", "csv"]
    collected = tmp_path / "collected"
    for name in ("/proc/self/fd/1", "-"):
        with collected.open("wb", buffering=0) as file:
            file.write(b"before\n")
            done = subprocess.run(
                [*command, "-o", name],
                stdout=file,
                stderr=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": root},
                timeout=DEADLINE,
                check=False,
                cwd=tmp_path,
            )
            file.write(b"after\n")
        assert done.returncode == 0
        lines = collected.read_text().splitlines()
        assert (lines[0], lines[1][:9], lines[-1]) == ("before", "run,model", "after")
    assert list(tmp_path.glob("-")) == []


def test_what_is_made_follows_the_umask(lab: StoreLocation, tmp_path: Path) -> None:
    root = str(Path(__file__).parents[3])
    for words in (
        ("compare", "-o", "t.txt"),
        ("report", "--filter", "model:sasrec length:20", "-o", "r.md"),
        ("export", "-o", "tb/all", "--format", "tensorboard"),
        ("suite", "save", "mine", "--model", "sasrec", "--dataset", "synthetic"),
    ):
        subprocess.run(
            [sys.executable, "-m", "tui.cli", "--db", str(lab.db), *words],
            env=os.environ | {"PYTHONPATH": root},
            cwd=tmp_path,
            umask=0o027,
            check=True,
            capture_output=True,
            timeout=DEADLINE,
        )
    # Matplotlib's own folder stands in the test's configuration.
    made = [each for each in tmp_path.rglob("*") if "config" not in each.parts]
    assert {each.name for each in made} >= {"t.txt", "r.md", "r-plots", "tb", "all", "mine.yaml"}
    for path in made:
        wanted = 0o750 if path.is_dir() else 0o640
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_a_suite_behind_a_link_is_replaced_there(cli: Run, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.yaml"
    place = tmp_path / "configs" / "suites" / "mine.yaml"
    words = ("suite", "save", "mine", "--model", "sasrec", "--dataset", "synthetic")
    assert cli(*words).exit_code == 0
    place.rename(kept)
    place.symlink_to(kept)
    assert cli(*words, "--replace", "--title", "again").exit_code == 0
    assert place.is_symlink()
    assert "again" in kept.read_text()
