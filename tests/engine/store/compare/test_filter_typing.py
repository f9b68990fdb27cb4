"""A filter while it is typed: what is applied, and how names of fields are completed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.store.compare.filter_sql import conditions, fields
from engine.store.compare.filter_typing import applied, completed


@pytest.mark.parametrize(
    ("typed", "filter_"),
    [
        ("model:sas n", "model:sas "),
        ("model:sas ndcg", "model:sas "),
        ("model:sas ndcg ", "model:sas "),
        ("model:sas -nd", "model:sas "),
        ("ND", ""),
        ("model:sas ndcg>0.04", "model:sas ndcg>0.04"),
        ("model:sas nd ", "model:sas nd "),
        ("sasrec", "sasrec"),
        ("tag:paper xl", "tag:paper xl"),
        ('note:"learning nd', 'note:"learning nd'),
        ("", ""),
    ],
)
def test_a_last_word_that_begins_a_field_is_not_applied_yet(typed: str, filter_: str) -> None:
    assert applied(typed).strip() == filter_.strip()


@pytest.mark.parametrize("name", sorted(fields()))
def test_no_field_is_looked_for_as_a_word_while_it_is_typed(name: str) -> None:
    for end in range(1, len(name) + 1):
        assert not conditions(applied(f"model:sas {name[:end]}"))[1:]


@pytest.mark.parametrize(
    ("typed", "text", "some"),
    [
        ("model:sas datas", "model:sas dataset:", ("dataset",)),
        ("-stat", "-state:", ("state",)),
        ("nd", "ndcg", ("ndcg", "ndcg_masked")),
        ("users", "users_per_second_", ("users_per_second_1", "users_per_second_256")),
        ("valid_nd", "valid_ndcg", ("valid_ndcg", "valid_ndcg_masked")),
        ("sasrec", "sasrec", ()),
        ("model:sas", "model:sas", ()),
        ("nd ", "nd ", ()),
    ],
)
def test_names_are_completed_as_far_as_they_are_sure(
    typed: str, text: str, some: tuple[str, ...]
) -> None:
    assert completed(typed) == (text, some)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_left_or_lengthened(text: str) -> None:
    assert text.startswith(applied(text))
    after, names = completed(text)
    assert after.lower().startswith(text.lower())
    assert names or after == text
