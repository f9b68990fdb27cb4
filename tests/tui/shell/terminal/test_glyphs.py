"""Everything in ASCII where the terminal shows nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_runs import LiveStore
from rich.cells import cell_len
from terminals import APP, Terminal

from tui.shell.states import STATE_GLYPH
from tui.shell.terminal.glyphs import ascii_wanted, to_ascii

LETTERS = st.characters(
    exclude_categories=("Cc", "Cf", "Cs", "Mn", "Me", "Mc", "Cn"), max_codepoint=0xFFFF
)


@given(st.text(LETTERS))
def test_what_comes_out_is_ascii_and_as_wide(text: str) -> None:
    drawn = to_ascii(text)
    assert drawn.isascii()
    assert len(drawn) == cell_len(text)


@given(st.text())
def test_whatever_comes_in_ascii_goes_out(text: str) -> None:
    assert to_ascii(text).isascii()


def test_ascii_stays_as_it_is_with_its_sequences() -> None:
    text = "\x1b[1;31mloss\x1b[0m \x1b]52;c;bG9zcw==\x07 0.1\r\n"
    assert to_ascii(text) == text


def test_states_can_be_told_apart() -> None:
    signs = {state: to_ascii(sign) for state, sign in STATE_GLYPH.items()}
    assert len(set(signs.values())) == len(signs), signs


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("╭─ Cells ─╮│┃┊╰━┳╯┼", "+- Cells -+|||+-+++"),
        ("▁▂▃▄▅▆▇█", "_.-=+*##"),
        ("⠉⠒⣀⡇ ⠀", "'-.|  "),
        ("a × b … 3 ± 1", "a x b ~ 3 + 1"),
        ("Müller 行", "Muller ??"),
    ],
)
def test_signs_have_a_likeness(text: str, drawn: str) -> None:
    assert to_ascii(text) == drawn


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"LC_ALL": "C.UTF-8"}, False),
        ({"LC_ALL": "", "LANG": "de_DE.utf8"}, False),
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8@euro"}, False),
        ({"LC_ALL": "C"}, True),
        ({"LC_ALL": "", "LC_CTYPE": "en_US.ISO-8859-1", "LANG": "C.UTF-8"}, True),
        ({"TERM": "linux"}, True),
    ],
)
def test_locale_and_terminal_decide(
    environment: dict[str, str], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ascii_wanted("auto") is wanted
    assert ascii_wanted("ascii")
    assert not ascii_wanted("unicode")


@pytest.fixture
def started(busy_store: LiveStore) -> Iterator[list[Terminal]]:
    terminals: list[Terminal] = []
    yield terminals
    for terminal in terminals:
        terminal.end()


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        pytest.param(["--ascii"], {}, id="option"),
        pytest.param([], {"TERM": "linux", "COLORTERM": ""}, id="console", marks=pytest.mark.slow),
    ],
)
def test_not_one_other_byte_leaves_the_app(
    started: list[Terminal],
    tmp_path: Path,
    options: list[str],
    environment: dict[str, str],
) -> None:
    app = Terminal([*APP, tmp_path / "runs.db", *options], environment, (100, 30))
    started.append(app)
    app.shows("bert4rec", "Learning rate", "NDCG")
    app.type("1")
    app.shows("enter Launch", "> 1", "x 1")
    app.type("3")
    app.shows("enter Open", "0.06")
    app.type("?")
    app.shows("Help", "esc  Close")
    app.type("\x1b")
    app.type("\x10")
    app.shows("Search")
    app.type("\x1b\x03")
    app.shows("enter  Quit")
    app.type("\r")
    app.read_to_end()
    assert app.output.isascii()
    app.assert_put_right()


@pytest.mark.parametrize("mouse", [pytest.param(True, marks=pytest.mark.slow), False])
def test_the_mouse_is_left_to_the_terminal_if_asked(
    started: list[Terminal], tmp_path: Path, mouse: bool
) -> None:
    options = [] if mouse else ["--no-mouse"]
    app = Terminal([*APP, tmp_path / "runs.db", *options])
    started.append(app)
    app.shows("Queue")
    assert bool(re.search(rb"\x1b\[\?100[0-6]h", app.output.replace(b"?1004h", b""))) is mouse


def test_a_wrong_file_of_preferences_is_one_sentence(
    started: list[Terminal], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "terminal.yaml").write_text("keys:\n  launch.fetsh: x\n")
    app = Terminal([*APP, tmp_path / "runs.db", "--config-dir", tmp_path / "mine"])
    started.append(app)
    assert app.read_to_end() == 2
    text = " ".join(app.output.decode().split())
    assert "terminal.yaml:1: keys: there is no action 'launch.fetsh': did you mean" in text
    assert "Traceback" not in text
