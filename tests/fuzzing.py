"""Throwing inputs at what must stand them: some at every run of the tests, many now and then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.errors import UserError

Input = TypeVar("Input")
Output = TypeVar("Output")

SHORT, LONG = 50, 10_000
LONGEST_SENTENCE = 2_000
LONGEST = timedelta(seconds=10)
"""For one input. None takes a hundredth of it; the rest is for a machine that is busy."""

short_and_long = pytest.mark.parametrize(
    "inputs",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(3_600)]),
    ],
)


def examples(most: int) -> int:
    """Return how many of a property's examples are tried: all of them in `make test-all`, in `make
    test` no more than of any other."""
    profile = settings.get_profile(settings.get_current_profile_name())
    return min(most, profile.max_examples) if profile.derandomize else most


def fuzz(
    inputs: int,
    strategy: st.SearchStrategy[Input],
    check: Callable[[Input], None],
    sound: Iterable[Input] = (),
) -> None:
    """Call ``check`` with every ``sound`` input, then with so many others; whatever it raises
    fails the test."""
    for value in sound:
        check(value)

    @settings(
        max_examples=inputs,
        deadline=LONGEST,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=(Phase.generate, Phase.shrink),
    )
    @given(strategy)
    def run(value: Input) -> None:
        check(value)

    run()


def attempted(call: Callable[[], Output], refusal: type[UserError]) -> Output | UserError:
    """What comes of it, or the refusal, which is seen to be one sentence; anything else fails."""
    try:
        return call()
    except refusal as error:
        refused = error
    text = str(refused)
    assert text.endswith((".", "?")), text
    assert "\n" not in text
    assert len(text) < LONGEST_SENTENCE
    return refused


def mostly(usual: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> Any:
    """What is seldom right if all of it is left to chance."""
    return st.one_of(usual, usual, usual, usual, other)


JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-3, 3)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from([10**400, -(2**63), 2**63, "a" * 5_000, "../../x", "\x1b]0;x\x07", [], {}])
)
VALUES = st.recursive(
    JUNK, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
)


@st.composite
def spoilt(draw: st.DrawFn, wholes: list[Any]) -> Any:
    """One of ``wholes`` with up to four of its values replaced, taken away, or added to."""
    root = [json.loads(json.dumps(draw(st.sampled_from(wholes))))]
    for _ in range(draw(st.integers(0, 4))):
        parent: Any = root
        while True:
            keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            child = parent[key]
            if isinstance(child, dict | list) and child and draw(st.integers(0, 3)):
                parent = child
                continue
            match draw(st.sampled_from(["replace", "remove", "add"])):
                case "remove" if parent is not root:
                    del parent[key]
                case "add" if isinstance(parent, dict):
                    parent[draw(st.text(max_size=12))] = draw(VALUES)
                case "add" if parent is not root:
                    parent.append(draw(VALUES))
                case _:
                    parent[key] = draw(VALUES)
            break
    return root[0]


@st.composite
def torn(draw: st.DrawFn, wholes: list[bytes]) -> bytes:
    """One of ``wholes`` cut, doubled, and with bytes replaced in up to six places."""
    data = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        data[start:end] = draw(st.binary(max_size=12) | st.just(bytes(data[start:end]) * 2))
    return bytes(data[: draw(st.integers(0, len(data)) | st.just(len(data)))])
