"""The log: read a piece at a time, harmless, bounded."""

from __future__ import annotations

import tempfile
import unicodedata
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from live_lines import Stage, screen_text

from tui.live.log.buffer import KEPT_LINES
from tui.live.log.tail import LogTail
from tui.shell.events import WARNING
from tui.shell.log_follower import FIRST_BYTES, LINE_CHARACTERS, PIECE_BYTES, LogFollower
from tui.shell.run_log import LogLine

HOSTILE = (
    b"\x1b[2J\x1b[H\x1b]0;owned\x07[bold red]not markup[/]\x1b]8;;http://evil\x1b\\link\x1b[31m\n"
    b"\xff\xfe\x00 bytes \x9b31m\n"
    b"10%|#|\r20%|##|\r100%|####| done\n"
    b"crlf\r\n"
)


def texts(follower: LogFollower) -> list[str]:
    return [line.text for line in follower.read()]


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_only_new_whole_lines_are_handed_out(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    follower = LogFollower(path)
    assert texts(follower) == []
    append(path, b"one\ntw")
    assert texts(follower) == ["one"]
    assert texts(follower) == []
    append(path, b"o\nthree\n")
    assert texts(follower) == ["two", "three"]


def test_hostile_text_is_made_harmless(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    append(path, HOSTILE)
    lines = texts(LogFollower(path))
    assert lines[0].startswith("[bold red]not markup[/]")
    assert lines[2:] == ["100%|####| done", "crlf"]
    assert not any(unicodedata.category(c) == "Cc" for line in lines for c in line)


def test_a_log_that_was_cut_or_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    append(path, b"a long first line\n")
    follower = LogFollower(path)
    follower.read()
    path.write_bytes(b"short\n")
    assert texts(follower) == ["short"]
    other = tmp_path / "other"
    other.write_bytes(b"short and other\n")
    other.replace(path)
    assert texts(follower) == ["short and other"]


def test_of_a_large_log_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    append(path, b"".join(b"line %d\n" % i for i in range(100_000)))
    follower = LogFollower(path)
    lines = texts(follower)
    assert lines[-1] == "line 99999"
    assert len("\n".join(lines)) < FIRST_BYTES
    append(path, b"x" * (PIECE_BYTES * 3) + b"\nlast\n")
    assert texts(follower)[-1] == "last"


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    append(path, b"first\n")
    follower = LogFollower(path)
    follower.read()
    append(path, b"0123456789\n" * PIECE_BYTES)
    lines = texts(follower)
    assert "bytes not shown" in lines[0]
    assert set(lines[1:]) == {"0123456789"}


def test_a_line_without_end_takes_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    follower = LogFollower(path)
    for _ in range(10):
        append(path, b"y" * 100_000)
        assert texts(follower) == []
    append(path, b"\n")
    (line,) = texts(follower)
    assert len(line) <= LINE_CHARACTERS


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_in_any_pieces(content: bytes, cuts: list[int]) -> None:
    content = content.replace(b"\r", b"")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.txt"
        path.touch()
        follower, lines = LogFollower(path), []
        follower.read()
        edges = sorted({0, *(min(cut, len(content)) for cut in cuts), len(content)})
        for start, end in pairwise(edges):
            append(path, content[start:end])
            lines += follower.read()
        whole = LogFollower(path)
        assert whole.read() == lines
        assert follower.read_bytes == whole.read_bytes == content.rfind(b"\n") + 1
        ends = [at for at, byte in enumerate(content, 1) if byte == ord("\n")]
        assert [line.end for line in lines] == ends
        assert not any(unicodedata.category(c) in ("Cc", "Cs") for line in lines for c in line.text)


async def test_the_tail_follows_until_scrolled_back_and_again_when_told() -> None:
    tail = LogTail()
    async with Stage(tail).run_test(size=(40, 6)) as pilot:
        tail.add([LogLine(f"line {i}") for i in range(50)], [LogLine("open", WARNING)])
        await pilot.pause()
        assert tail.summary() == "1 warning"
        rows = [row.strip() for row in screen_text(pilot.app)]
        assert rows == [*(f"line {i}" for i in range(45, 50)), "open"]
        tail.scroll(-10)
        tail.add([LogLine("line 50")])
        await pilot.pause()
        assert not tail.follows
        assert tail.summary() == "f follows"
        assert screen_text(pilot.app)[0].strip() == "line 35"
        tail.follow()
        await pilot.pause()
        assert screen_text(pilot.app)[5].strip() == "line 50"
        tail.scroll(-10_000)
        await pilot.pause()
        assert screen_text(pilot.app)[0].strip() == "line 0"


async def test_the_tail_is_bounded_and_clips_long_lines() -> None:
    tail = LogTail()
    async with Stage(tail).run_test(size=(40, 6)) as pilot:
        tail.add([LogLine("[red]" + "z" * 1000)] * (KEPT_LINES * 2))
        await pilot.pause()
        assert len(tail._log) == KEPT_LINES
        assert screen_text(pilot.app)[0] == "[red]" + "z" * 34 + "…"
