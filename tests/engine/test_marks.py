from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.marks import BUSY, MEANING, marks_of, of_metrics, of_times


@pytest.mark.parametrize(
    ("samples", "marks"),
    [
        ([], None),
        ([(None, None)], None),
        ([(0, None)], ()),
        ([(None, 0)], ()),
        ([(0, 0x1), (0, 0x2), (0, 0x10), (0, 0x100)], ()),
        ([(None, None), (2, 0)], ("shared",)),
        ([(0, 0x20)], ("throttled-heat",)),
        ([(0, 0x40 | 0x08)], ("throttled-heat",)),
        ([(0, 0x04)], ("throttled-power",)),
        ([(0, 0x80 | 0x08)], ("throttled-power",)),
        ([(0, 0x08)], ("throttled-hardware",)),
        ([(0, 0x08), (1, 0x24)], of_times(" ".join(mark for mark in MEANING if mark != BUSY))),
    ],
)
def test_the_drivers_words_become_ours(
    samples: list[tuple[float | None, float | None]], marks: tuple[str, ...] | None
) -> None:
    assert marks_of(samples) == marks


FIGURE = st.none() | st.floats(0, 2**40)


@given(st.lists(st.tuples(FIGURE, FIGURE)))
def test_marks_are_those_of_the_parts_together(
    samples: list[tuple[float | None, float | None]],
) -> None:
    parts = [marks_of([sample]) for sample in samples]
    whole = marks_of(samples)
    assert (whole is None) == all(part is None for part in parts)
    assert set(whole or ()) == {mark for part in parts for mark in part or ()}


def test_a_mark_is_of_times_or_of_metrics() -> None:
    assert of_metrics("shared still-improving") == ("still-improving",)
    assert of_metrics("shared other-copy") == ("other-copy",)
    assert of_times("shared other-copy") == ("shared",)
    assert of_times(f"{BUSY} other-copy") == (BUSY,)
    assert of_metrics(None) == of_times(None) == of_times("") == ()
