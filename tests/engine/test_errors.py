"""The tail of an error sentence names what was most likely meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import did_you_mean, nearest


@pytest.mark.parametrize(
    ("wrong", "names", "tail"),
    [
        ("sasrek", ["sasrec", "xlstm"], "did you mean 'sasrec'?"),
        ("SASREC", ["sasrec", "xlstm"], "did you mean 'sasrec'?"),
        ("ndcg", ["NDCG@10/valid", "NDCG@10/test", "run"], "did you mean 'NDCG@10/test'?"),
        ("qqq", ["b", "a", "b"], "choose from a, b."),
        ("", ["b", "a"], "choose from a, b."),
        ("a", [], "there is none."),
    ],
)
def test_the_tail(wrong: str, names: list[str], tail: str) -> None:
    assert did_you_mean(wrong, names) == tail


@given(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=5))
def test_what_is_meant_is_one_of_the_names(wrong: str, names: list[str]) -> None:
    assert nearest(wrong, names) in {*names, None}


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=8), min_size=1, max_size=5))
def test_a_name_itself_is_its_nearest(names: list[str]) -> None:
    assert nearest(names[0], names) == names[0]
