"""What the surroundings don't tell is replaced, and where it can't be, a sentence says so."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from namespaces import ANOTHER, as_another_user

from engine import surroundings
from engine.errors import UsageError, UserError
from engine.surroundings import config_folder, expanded, user_folder, user_name, working_folder


def told(tmp_path: Path, expression: str, *more: str) -> list[str]:
    """What an expression gives for a user without name and home, in a process."""
    script = f"""
from engine.surroundings import *
from engine.surroundings import expanded, config_folder
try:
    print({expression})
except UserError as error:
    print(type(error).__name__, error)
"""
    bare = ["env", "-i", f"PYTHONPATH={Path(surroundings.__file__).parents[1]}", *more]
    command = as_another_user(*bare, sys.executable, "-c", script)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


def test_a_user_without_a_name_is_a_number(tmp_path: Path) -> None:
    assert told(tmp_path, "user_name()") == [str(ANOTHER)]
    assert told(tmp_path, "user_name()", "USER=ann") == ["ann"]


def test_a_user_with_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert user_name() == pwd.getpwuid(os.getuid()).pw_name


def test_without_a_home_folder_ours_are_among_the_temporary_ones(tmp_path: Path) -> None:
    for kind in ("cache", "state", "log"):
        (folder,) = told(tmp_path, f"user_folder({kind!r})", f"TMPDIR={tmp_path}")
        assert folder == f"{tmp_path}/seqbench-{ANOTHER}/{kind}"
    assert stat.S_IMODE((tmp_path / f"seqbench-{ANOTHER}").stat().st_mode) == 0o700
    assert told(tmp_path, "config_folder()") == ["None"]
    (folder,) = told(tmp_path, "user_folder('cache')", "XDG_CACHE_HOME=/somewhere")
    assert folder == "/somewhere/seqbench"
    (said,) = told(tmp_path, "expanded('~/x')")
    assert said.startswith("UsageError no home folder is known for the ~ of ~/x: set HOME")


@pytest.mark.parametrize("trap", ["link", "open"])
def test_a_folder_that_another_may_have_put_there_is_not_used(tmp_path: Path, trap: str) -> None:
    place = tmp_path / f"seqbench-{ANOTHER}"
    if trap == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.mkdir()
        place.chmod(0o777)
    (said,) = told(tmp_path, "user_folder('cache')", f"TMPDIR={tmp_path}")
    assert said.startswith(f"UserError no home folder is known, and {place} is open to others:")
    assert "SEQBENCH_CACHE" in said


def test_a_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    assert working_folder() == tmp_path / "gone"
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError, match="was deleted: cd to another one"):
        working_folder()
    os.chdir(tmp_path)


def test_folders_of_a_user_with_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert user_folder("cache") == tmp_path / ".cache/seqbench"
    assert user_folder("state") == tmp_path / ".local/state/seqbench"
    assert config_folder() == tmp_path / ".config/seqbench"
    assert expanded("~/x") == tmp_path / "x"
    with pytest.raises(UserError, match="no home folder is known"):
        expanded("~nobody-of-this-name/x")
