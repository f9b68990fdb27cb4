"""What a run's start says of code and versions."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from engine import __version__
from engine.worker.provenance import git_state, software


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("a = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    git(tmp_path, "tag", "v1")
    return tmp_path


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert git_state(checkout) == (commit, False)
    told = software(checkout)
    assert (told["code"], told["commit"], told["dirty"]) == (
        f"{__version__}+{commit[:10]}", commit, False,
    )  # fmt: skip
    (checkout / "code.py").write_text("a = 2\n")
    assert git_state(checkout) == (commit, True)
    assert software(checkout)["code"] == f"{__version__}+{commit[:10]}-dirty"


def test_a_checkout_is_left_as_it_is(checkout: Path) -> None:
    """Also if another `git` has it locked, or its index could be brought up to date."""
    code, lock, index = (checkout / name for name in ("code.py", ".git/index.lock", ".git/index"))
    os.utime(code, (0, 0))
    (checkout / "another.py").touch()
    lock.touch()
    before = index.stat()
    assert git_state(checkout) == (git(checkout, "rev-parse", "HEAD"), False)
    lock.unlink()
    assert git_state(checkout)[1] is False
    assert (index.stat().st_ino, index.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_without_a_checkout_or_a_commit_the_version_is_all(tmp_path: Path) -> None:
    assert git_state(tmp_path) == (None, None)
    git(tmp_path, "init", "--quiet")
    assert git_state(tmp_path) == (None, None)
    assert software(tmp_path)["code"] == __version__


def test_a_checkout_without_git_tells_its_version(
    monkeypatch: pytest.MonkeyPatch, checkout: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert software(checkout)["code"] == __version__
