"""A file is whole or as it was, whatever happens while it is written."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.files.atomic import atomic_file, fsync_folder, name_aimed_at, write_atomically


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "result.bin"


@pytest.mark.parametrize(("content", "expected"), [("é\n", b"\xc3\xa9\n"), (b"\0\xff", b"\0\xff")])
def test_content_is_put_in_place_and_nothing_else_is_left(
    path: Path, content: str | bytes, expected: bytes
) -> None:
    for _ in range(2):
        write_atomically(path, content)
        assert path.read_bytes() == expected
    assert list(path.parent.iterdir()) == [path]


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 127)
    write_atomically(path, "x")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt(), OSError(28, "full")])
def test_an_error_while_writing_leaves_what_was(path: Path, error: BaseException) -> None:
    def write_and_fail() -> None:
        with atomic_file(path) as file:
            file.write(b"half")
            raise error

    path.write_bytes(b"old")
    with pytest.raises(type(error)):
        write_and_fail()
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_content_stands_until_the_new_is_whole(path: Path) -> None:
    path.write_bytes(b"old")
    with atomic_file(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_content_is_on_the_disk_before_its_name_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("fsync"), fsync(fd))[1])
    monkeypatch.setattr(
        Path, "replace", lambda own, target: (order.append("rename"), replace(own, target))[1]
    )
    write_atomically(path, b"x")
    assert order == ["fsync", "rename", "fsync"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "absent/x", b"x")


def test_a_filesystem_that_cannot_fsync_folders_is_no_failure(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(code: int) -> None:
        def fsync(descriptor: int) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "fsync", fsync)

    refuse(errno.EINVAL)
    fsync_folder(path.parent)
    refuse(errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        fsync_folder(path.parent)


@pytest.mark.parametrize("name", ["model.pt", "ml-1m-0123.seqbench", ".hidden"])
def test_a_half_written_file_tells_what_it_was_to_become(tmp_path: Path, name: str) -> None:
    with atomic_file(tmp_path / name):
        (aside,) = tmp_path.iterdir()
        assert name_aimed_at(aside.name) == name
    assert name_aimed_at(name) is None


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(path: Path) -> None:
    script = f"""
from pathlib import Path
from engine.files.atomic import write_atomically
for n in range(1_000_000):
    write_atomically(Path({str(path)!r}), f"{{n % 10}}" * 5000)
    print(n, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 20:
            break
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait()
    content = path.read_text()
    assert len(content) == 5000
    assert len(set(content)) == 1
