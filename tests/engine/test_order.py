"""What is typed for seeds, lengths and settings, in a field of the app or after an option."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.order import parse_lengths, parse_seeds, parse_settings, settings_text
from engine.spec import Sweep
from engine.yamlfile import parse_scalar


def test_seeds_are_read_as_written() -> None:
    assert parse_seeds("42") == (42,)
    assert parse_seeds("3, 1 - 2 7,1") == (3, 1, 2, 7)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "can't be empty"),
        ("x", "not 'x'"),
        ("-1", "not '-1'"),
        ("5-1", "write 1-5"),
        ("2147483648", "smaller than 2147483648"),
        ("0-5000", "At most 1,000 seeds"),
        ("1.5", "not '1.5'"),
    ],
)
def test_a_wrong_seed_is_a_sentence(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_seeds(text)


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=20))
def test_seeds_come_back_whatever_the_separator(seeds: list[int]) -> None:
    wanted = tuple(dict.fromkeys(seeds))
    assert parse_seeds(", ".join(map(str, seeds))) == wanted
    assert parse_seeds(" ".join(map(str, seeds))) == wanted


@given(st.text(max_size=30))
def test_whatever_is_typed_gives_values_or_a_sentence(text: str) -> None:
    for parse in (parse_seeds, parse_lengths, parse_settings):
        with contextlib.suppress(UsageError):  # any other error fails the test
            parse(text)


def test_lengths_are_sorted_and_bounded() -> None:
    assert parse_lengths("100, 50 50") == (50, 100)
    with pytest.raises(UsageError, match="from 2 to 65,536"):
        parse_lengths("1")


def test_settings_are_lines_of_key_and_value() -> None:
    assert parse_settings("epochs = 3\nlr=0.01, batch_size=64") == {
        "epochs": "3",
        "lr": "0.01",
        "batch_size": "64",
    }
    with pytest.raises(UsageError, match="KEY=VALUE, such as epochs=20"):
        parse_settings("epochs 3")
    with pytest.raises(UsageError, match=r"not '0\.1'"):
        parse_settings("lr=1 0.1")
    with pytest.raises(UsageError, match="set twice"):
        parse_settings("lr=1 lr=2")
    with pytest.raises(UsageError, match="not 'epochs'"):
        parse_settings("epochs\n=3")


def test_several_values_of_a_setting_are_a_sweep() -> None:
    swept = {"lr": ("0.1", "1e-3"), "epochs": "3", "tied": ("true", "false")}
    assert parse_settings("lr=0.1,1e-3 epochs=3\ntied = true, false") == swept
    assert parse_settings("lr=0.1,1e-3, epochs=3, tied=true,false,") == swept
    assert parse_settings("lr=0.1,") == {"lr": "0.1"}


def test_a_list_in_brackets_is_one_value() -> None:
    assert parse_settings("a=[1, 2],[3] b=4,[5,6") == {
        "a": ("[1, 2]", "[3]"),
        "b": ("4", "[5", "6"),
    }


VALUES = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


SWEEPS = st.lists(VALUES, min_size=2, max_size=4).map(tuple)


@given(
    st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), VALUES | SWEEPS),
    st.sampled_from(["\n", " ", ", ", ","]),
)
def test_settings_are_read_back_as_they_were_written(
    settings: dict[str, Sweep], between: str
) -> None:
    text = between.join(f"{key}={value}" for key, value in settings_text(settings).items())
    read = {
        key: tuple(map(parse_scalar, value)) if isinstance(value, tuple) else parse_scalar(value)
        for key, value in parse_settings(text).items()
    }
    assert read == settings
