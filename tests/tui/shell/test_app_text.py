from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.shell import text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("[red]x[/red]", "[red]x[/red]"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("one\r\ntwo\tthree", "one two three"),
        ("\u202eabc\u2066", "abc"),
        ("bell\x07 \x9b31mcsi", "bell csi"),
        ("\x1b(Bx\x1bcy", "xy"),
        ("\x1b", ""),
    ],
)
def test_hostile_text_becomes_one_harmless_line(raw: str, shown: str) -> None:
    assert text.plain(raw) == shown


@given(st.text(), st.integers(0, 30))
def test_plain_text_never_controls_and_never_overflows(raw: str, width: int) -> None:
    shown = text.plain(raw, width)
    assert cell_len(shown) <= width
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    shown.encode()


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "–"), (0.0, "0.0 s"), (0.0001, "1 ms"), (0.04, "40 ms"), (0.06, "0.1 s"),
     (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 m 00 s"),
     (185, "3 m 05 s"), (7620, "2 h 07 m"), (273_600, "3 d 04 h"), (float("nan"), "–")],
)  # fmt: skip
def test_duration(seconds: float | None, shown: str) -> None:
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(
    ("n", "shown"),
    [(None, "–"), (0, "0 B"), (812, "812 B"), (4_924_029, "4.9 MB"), (65_566_137, "65.6 MB"),
     (999_600, "1.0 MB"), (123_000_000, "123 MB"), (3.2e15, "3200 TB")],
)  # fmt: skip
def test_bytes(n: float | None, shown: str) -> None:
    assert text.bytes_(n) == shown


@pytest.mark.parametrize(
    ("x", "shown"),
    [(None, "–"), (0.12345, "0.1235"), (0, "0.0000"), (1e-9, "1.00e-09"), (2e9, "2.00e+09"),
     (float("nan"), "NaN"), (float("-inf"), "-∞"), (1234.5, "1,234.5000")],
)  # fmt: skip
def test_number(x: float | None, shown: str) -> None:
    assert text.number(x) == shown


@pytest.mark.parametrize(
    ("passed", "shown"),
    [(1, "just now"), (42, "42 s ago"), (200, "3 m ago"), (7300, "2 h ago"), (200_000, "2 d ago")],
)
def test_ago(passed: float, shown: str) -> None:
    assert text.ago(1e9 - passed, now=1e9) == shown


def test_a_moment_long_past_is_a_date() -> None:
    assert text.ago(1e9, now=1e9 + 90 * 86_400) == "2001-09-09"


def test_a_path_is_cut_in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert text.short_path(Path("/home/me/lab/runs.db")) == "~/lab/runs.db"
    assert text.short_path(Path("/home/mean/runs.db")) == "/home/mean/runs.db"
    assert text.short_path(Path("/very/long/path/to/some/runs.db"), 16) == "…/some/runs.db"
    assert text.short_path(Path("/x/averylongname.db"), 8) == "averylo…"


def test_count_speaks_properly() -> None:
    assert text.count(1, "run") == "1 run"
    assert text.count(0, "run") == "0 runs"
    assert text.count(2, "entry", "entries") == "2 entries"
