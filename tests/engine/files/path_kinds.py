"""What can stand at a path that is written to, each with what must be so afterwards."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from engine.errors import UserError

NEW = b"new" * 500


Check = Callable[[Path, UserError | None], None]
"""Takes what was written to and the refusal, if it was one."""


def absent(path: Path, stack: ExitStack) -> Check:
    return takes_it


def regular(path: Path, stack: ExitStack) -> Check:
    path.write_bytes(b"old" * 1000)
    path.chmod(0o640)

    return takes_it


def hard_linked(path: Path, stack: ExitStack) -> Check:
    regular(path, stack)
    other = path.with_name("other-name")
    os.link(path, other)

    def check(path: Path, refused: UserError | None) -> None:
        takes_it(path, refused)
        assert other.samefile(path)

    return check


def folder(path: Path, stack: ExitStack) -> Check:
    path.mkdir()
    return refuses("Is a directory")


def unread_pipe(path: Path, stack: ExitStack) -> Check:
    os.mkfifo(path)
    return refuses("nobody reads from this pipe")


def read_pipe(path: Path, stack: ExitStack) -> Check:
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    stack.callback(os.close, reader)

    def check(path: Path, refused: UserError | None) -> None:
        assert refused is None
        assert os.read(reader, 65536) == NEW

    return check


def unix_socket(path: Path, stack: ExitStack) -> Check:
    listening = stack.enter_context(socket.socket(socket.AF_UNIX))
    # A socket's address has at most 107 bytes.
    aside = stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp"))
    listening.bind(f"{aside}/s")
    Path(aside, "s").rename(path)
    return refuses("it is a socket")


def null_device(path: Path, stack: ExitStack) -> Check:
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    return accepts


def full_device(path: Path, stack: ExitStack) -> Check:
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    return refuses("No space left")


def block_device(path: Path, stack: ExitStack) -> Check:
    os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(0, 0))  # of a driver that doesn't exist
    return refuses("it is a disk")


def own_pipe(path: Path, stack: ExitStack) -> Check:
    reader, writer = os.pipe()
    stack.callback(os.close, reader)
    stack.callback(os.close, writer)
    path.symlink_to(f"/proc/self/fd/{writer}")

    def check(path: Path, refused: UserError | None) -> None:
        assert refused is None
        assert os.read(reader, 65536) == NEW

    return check


def own_file(path: Path, stack: ExitStack) -> Check:
    """What a shell collects in a file from several commands."""
    collected = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
    stack.callback(collected.close)
    collected.write(b"before")
    path.symlink_to(f"/proc/self/fd/{collected.fileno()}")

    def check(path: Path, refused: UserError | None) -> None:
        assert refused is None
        collected.write(b"after")
        collected.seek(0)
        assert collected.read() == b"before" + NEW + b"after"

    return check


def own_reading(path: Path, stack: ExitStack) -> Check:
    read_only = os.open(__file__, os.O_RDONLY)
    stack.callback(os.close, read_only)
    path.symlink_to(f"/proc/thread-self/fd/{read_only}")
    return refuses("open for reading only")


def loop(path: Path, stack: ExitStack) -> Check:
    path.symlink_to(path)
    return refuses("Too many levels of symbolic links")


def accepts(path: Path, refused: UserError | None) -> None:
    assert refused is None


def takes_it(path: Path, refused: UserError | None) -> None:
    assert refused is None
    assert path.read_bytes() == NEW


def refuses(words: str) -> Check:
    def check(path: Path, refused: UserError | None) -> None:
        assert words in str(refused)
        assert str(refused).endswith(".")

    return check


DEVICES = (null_device, full_device, block_device) if os.geteuid() == 0 else ()


KINDS = (
    absent, regular, hard_linked, folder, unread_pipe, read_pipe, unix_socket, own_pipe, own_file,
    own_reading, loop, *DEVICES,
)  # fmt: skip
