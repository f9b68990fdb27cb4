"""What a user names stays what it is, whatever kind of file that is, and gets the whole content."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from namespaces import as_another_user, mounting
from path_kinds import KINDS, NEW, Check, absent, takes_it

from engine.errors import UserError
from engine.files import named
from engine.files import regular as regular_files
from engine.files.named import named_file, named_folder, write_named
from engine.files.regular import keep_ours_private


@contextmanager
def umask(value: int, private: bool) -> Iterator[None]:
    """Let the user have this umask; ``private`` as in our own processes."""
    before = os.umask(value)
    try:
        if private:
            keep_ours_private()
        yield
    finally:
        regular_files._before.clear()
        os.umask(before)


@pytest.mark.parametrize("kind", KINDS)
@given(
    links=st.integers(0, 3),
    relative=st.booleans(),
    mask=st.sampled_from([0, 0o002, 0o022, 0o027, 0o077]),
    private=st.booleans(),
)
def test_what_is_there_stays_what_it_is(
    kind: Callable[[Path, ExitStack], Check], links: int, relative: bool, mask: int, private: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder_, ExitStack() as stack:
        target = Path(folder_, "elsewhere", "target")
        target.parent.mkdir()
        check = kind(target, stack)
        path = target
        for number in range(links):
            link = Path(folder_, f"link-{number}")
            link.symlink_to(os.path.relpath(path, folder_) if relative else path)
            path = link
        before = {each: kind_of(each) for each in everything(folder_)}
        refused: UserError | None = None
        with umask(mask, private):
            try:
                write_named(path, NEW)
            except UserError as error:
                refused = error
        check(target, refused)
        after = {each: kind_of(each) for each in everything(folder_)}
        assert after.items() >= before.items()
        assert set(after) - set(before) <= {target}, "nothing else is left"
        if kind is absent:
            assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask


def everything(folder_: str) -> list[Path]:
    return sorted(Path(folder_).rglob("*"))


def kind_of(path: Path) -> tuple[int, str, int]:
    about = path.lstat()
    links_to = str(path.readlink()) if path.is_symlink() else ""
    return about.st_mode, links_to, about.st_uid


@pytest.mark.parametrize("old", [None, b"old" * 1000])
@pytest.mark.parametrize("other_name", [False, True])
def test_a_failed_write_leaves_what_was(
    tmp_path: Path, old: bytes | None, other_name: bool
) -> None:
    path = tmp_path / "out"
    if old is not None:
        path.write_bytes(old)
        if other_name:
            os.link(path, tmp_path / "other")
    before = sorted(tmp_path.iterdir())

    def fail() -> None:
        with named_file(path) as file:
            file.write(NEW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert sorted(tmp_path.iterdir()) == before
    assert old is None or path.read_bytes() == old


FILL = """
import resource, sys
from pathlib import Path
from engine.errors import UserError
from engine.files.named import write_named
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_named(Path(sys.argv[1]), b"n" * 6000)
except UserError as error:
    print(error)
"""


@pytest.mark.parametrize("other_name", [False, True])
def test_no_room_leaves_what_was(tmp_path: Path, other_name: bool) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    if other_name:
        os.link(path, tmp_path / "other")
    before = sorted(tmp_path.iterdir())
    said = written_by([sys.executable, "-c", FILL, str(path)])
    assert said == f"{path} can't be written: File too large.\n"
    assert path.read_bytes() == b"old"
    assert sorted(tmp_path.iterdir()) == before


WRITE = """
import sys
from pathlib import Path
from engine.errors import UserError
from engine.files.named import write_named
try:
    write_named(Path(sys.argv[1]), "new")
except UserError as error:
    print(error)
"""


def written_by(command: list[str]) -> str:
    environment = os.environ | {"PYTHONPATH": str(Path(named.__file__).parents[2])}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_file_in_a_folder_that_takes_none_is_written_in_place(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "out"
    path.parent.mkdir()
    path.write_text("old and longer")
    number = path.stat().st_ino
    path.parent.chmod(0o555)
    try:
        assert written_by(as_another_user(sys.executable, "-c", WRITE, str(path))) == ""
        assert path.read_text() == "new"
        assert path.stat().st_ino == number
        absent_one = path.with_name("absent")
        said = written_by(as_another_user(sys.executable, "-c", WRITE, str(absent_one)))
        assert said == f"{absent_one} can't be written: Permission denied.\n"
        path.chmod(0o444)
        said = written_by(as_another_user(sys.executable, "-c", WRITE, str(path)))
        assert said == f"{path} can't be written: Permission denied.\n", "as of any program"
    finally:
        path.parent.chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="a file is given to another user, which takes root")
def test_the_owner_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    path.chmod(0o666)
    os.chown(path, 4321, 4322)
    write_named(path, "by root")
    assert (path.stat().st_uid, path.stat().st_gid) == (4321, 4322)
    # Who can't give files away writes into it.
    assert written_by(as_another_user(sys.executable, "-c", WRITE, str(path))) == ""
    assert path.read_text() == "new"
    assert (path.stat().st_uid, path.stat().st_gid) == (4321, 4322)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_another_is_mounted_on(tmp_path: Path) -> None:
    """As a container is given one file of the host."""
    path, host = tmp_path / "out", tmp_path / "host"
    path.touch()
    host.write_text("old and longer")
    command = mounting(host, path, sys.executable, "-c", WRITE, str(path))
    assert written_by(command) == ""
    assert host.read_text() == "new"
    assert path.read_text() == ""
    assert sorted(tmp_path.iterdir()) == [host, path]


def acl(mask: int) -> bytes:
    """An access list with one named user, as Linux keeps it."""
    entries = [(0x01, 6, -1), (0x02, 4, 54321), (0x04, 4, -1), (0x10, mask, -1), (0x20, 0, -1)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)


def set_or_skip(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"this file system has no {name}: {error.strerror}")


def test_attributes_and_access_lists_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    set_or_skip(path, "user.origin", b"mine")
    set_or_skip(path, "system.posix_acl_access", acl(4))
    number = path.stat().st_ino
    write_named(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_ino != number, "it was replaced whole"
    assert os.getxattr(path, "user.origin") == b"mine"
    assert os.getxattr(path, "system.posix_acl_access") == acl(4)


def test_a_folder_s_default_access_list_counts_for_new_files(tmp_path: Path) -> None:
    set_or_skip(tmp_path, "system.posix_acl_default", acl(6))
    with umask(0o077, True):
        write_named(tmp_path / "out", "new")
    assert os.getxattr(tmp_path / "out", "system.posix_acl_access") == acl(6)


def test_folders_follow_the_umask_and_links(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "there")
    with umask(0o027, True):
        named_folder(tmp_path / "link" / "a" / "b")
        named_folder(tmp_path / "link" / "a" / "b")
    modes = {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "there").rglob("*")}
    assert modes == {0o750}
    assert (tmp_path / "link").is_symlink()
    (tmp_path / "file").touch()
    for wrong in ("file", "file/in"):
        with pytest.raises(UserError, match="can't be written"):
            named_folder(tmp_path / wrong)
    with pytest.raises(UserError, match="No such file"):
        named_folder(tmp_path / "x" / "y", parents=False)


def test_more_than_a_pipe_holds_goes_to_a_reader_at_its_pace(tmp_path: Path) -> None:
    path, content = tmp_path / "pipe", os.urandom(1_000_000)
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    while True:
        with suppress(UserError):  # the reader isn't there yet
            write_named(path, content)
            break
    reader.join()
    assert got == [content]


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def write() -> None:
        with named_file(path) as file:
            file.write(NEW)
            os.close(reader)

    with pytest.raises(UserError, match="can't be written: Broken pipe"):
        write()


def test_the_longest_name_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    for _ in range(2):
        write_named(path, NEW)
        takes_it(path, None)


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    write_named(tmp_path / "out", "é\udcff")
    assert (tmp_path / "out").read_bytes() == "é?".encode()
