"""Times as moments: dates and numbers alike, in one unit, whatever the source has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import load_catalogue
from engine.datasets.interactions import Interactions
from engine.datasets.load import prepare
from engine.datasets.splitting.splits import SplitData, split_data
from engine.datasets.splitting.statistics import split_counts, statistics
from engine.datasets.times import moment_within, to_microseconds
from engine.errors import DataError
from engine.spec import Dataset, SplitRule
from engine.spec.moments import EPOCH, SECOND, moment, per_second
from engine.validation import InvalidError, validate

MakeDataset = Callable[..., Dataset]

WHOLE = [datetime(2021, 1, 1, 5, tzinfo=UTC) + timedelta(hours=7 * n) for n in range(60)]

FORMS: dict[str, Callable[[datetime], str]] = {
    "dates": lambda when: when.strftime("%Y-%m-%d %H:%M:%S"),
    "dates with fractions": lambda when: when.strftime("%Y-%m-%d %H:%M:%S.250"),
    "dates with a zone": lambda when: when.astimezone(timezone(timedelta(hours=3))).isoformat(),
    "seconds": lambda when: str(int(when.timestamp())),
    "seconds with fractions": lambda when: f"{int(when.timestamp())}.25",
    "milliseconds": lambda when: str(int(when.timestamp()) * 1_000),
    "microseconds": lambda when: str(int(when.timestamp()) * SECOND),
    "nanoseconds": lambda when: str(int(when.timestamp()) * 1_000 * SECOND),
    "nanoseconds with a point": lambda when: f"{int(when.timestamp()) * 1_000 * SECOND}.0",
    "nanoseconds with an exponent": lambda when: repr(int(when.timestamp()) * 1e9),
}

RULES = {
    "dates": ("2021-01-10", "2021-01-15"),
    "date-times": ("2021-01-10T00:00", "2021-01-15 00:00:00"),
    "with zones": ("2021-01-10T02:00+02:00", "2021-01-14T19:00:00-05:00"),
    "Z": ("2021-01-10T00:00:00Z", "2021-01-15T00:00:00Z"),
    "seconds": (1610236800, 1610668800),
    "as text": ("1610236800", "1610668800.0"),
    "milliseconds": (1610236800_000, 1610668800_000),
    "microseconds": (1610236800 * SECOND, 1610668800 * SECOND),
    "nanoseconds": (1610236800 * 1_000 * SECOND, str(1610668800 * 1_000 * SECOND)),
    "mixed": ("2021-01-10", 1610668800 * SECOND),
    "days": (18637, 18642),
}


def read(path: Path, form: str) -> Interactions:
    rows = (f"{n % 4},{n % 7},{FORMS[form](when)}\n" for n, when in enumerate(WHOLE))
    path.write_text("user,item,time\n" + "".join(rows))
    columns = {"user": "user", "item": "item", "time": "time"}
    dataset = Dataset.model_validate(
        {
            "name": "t", "title": "T", "size": "small", "reader": "table", "columns": columns,
            "users": 1, "items": 1, "interactions": 1, "folder": "t", "files": {path.name: None},
        }
    )  # fmt: skip
    return prepare(dataset, path).interactions


def outcome(split: SplitData) -> list[list[int]]:
    return [split.train_end.tolist(), *(split.ends(each).tolist() for each in ("valid", "test"))]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("form", FORMS)
def test_a_moment_splits_alike_however_it_and_the_times_are_written(
    tmp_path: Path, make_dataset: MakeDataset, form: str, rule: str
) -> None:
    interactions = read(tmp_path / "t.csv", form)
    plain = read(tmp_path / "t.csv", "dates")
    valid_from, test_from = RULES[rule]
    asked = {"kind": "temporal", "valid_from": valid_from, "test_from": test_from}
    split = split_data(interactions, make_dataset(split=asked))
    expected = {"kind": "temporal", "valid_from": "2021-01-10", "test_from": "2021-01-15"}
    assert outcome(split) == outcome(split_data(plain, make_dataset(split=expected)))
    counts = split_counts(split)
    assert counts.valid_from == "2021-01-10 00:00:00"
    assert counts.test_from == "2021-01-15 00:00:00"
    found = statistics(interactions)
    assert found.first_time is not None
    assert found.first_time.removesuffix(".25") == "2021-01-01 05:00:00"
    assert found.span.startswith("2021-01-01 05:00:00")
    assert found.span.endswith(" UTC")


@given(
    when=st.datetimes(datetime(1975, 1, 1), datetime(2200, 1, 1)),
    offset=st.integers(-12 * 60, 14 * 60),
)
def test_a_date_is_the_number_of_its_moment(when: datetime, offset: int) -> None:
    at = when.replace(tzinfo=UTC)
    expected = (at - EPOCH) // timedelta(microseconds=1)
    zone = timezone(timedelta(minutes=offset))
    for text in (when.isoformat(), at.isoformat(), at.astimezone(zone).isoformat(" ")):
        number = moment(text)
        assert isinstance(number, int | float)
        assert moment_within(number, 0, 2**62) == expected
        assert (
            SplitRule.model_validate_json(
                SplitRule(valid_from=number, test_from=2**40).model_dump_json()
            ).valid_from
            == number
        )


@given(
    seconds=st.lists(st.integers(160_000_000, 9_000_000_000), min_size=1, max_size=20),
    unit=st.sampled_from([1, 1_000, SECOND, 1_000 * SECOND]),
)
def test_numbers_of_any_unit_become_microseconds(seconds: list[int], unit: int) -> None:
    found = to_microseconds(np.array(seconds, np.int64) * unit, None)
    assert found.tolist() == [each * SECOND for each in seconds]
    assert {per_second(each * unit) for each in seconds} == {unit}


def test_what_counts_from_a_beginning_of_its_own_keeps_its_numbers(
    tmp_path: Path, make_dataset: MakeDataset
) -> None:
    path = tmp_path / "u.data"
    path.write_text("".join(f"{n % 4}\t{n % 7}\t3\t{n}\n" for n in range(40)))
    interactions = prepare(make_dataset(), path).interactions
    rule = {"kind": "temporal", "valid_from": 20, "test_from": 30}
    split = split_data(interactions, make_dataset(split=rule))
    counts = split_counts(split)
    assert (counts.train, counts.valid_from, counts.test_from) == (20, "20", "30")
    assert statistics(interactions).span == "0 to 39"


@pytest.mark.parametrize(
    ("valid_from", "test_from", "sentence"),
    [
        ("2019-05-01", "2021-01-15", "valid_from, 2019-05-01 00:00:00, is outside of the times, "),
        ("2021-01-10", "2031-01-15", "test_from, 2031-01-15 00:00:00, is outside of the times, "),
        (2021, "2021-01-15", "valid_from, 1970-01-01 00:33:41, is outside of the times, "),
        ("2021-01-01T05", "2021-01-15", "nothing to train on is before the validation period: "),
    ],
)
def test_a_moment_outside_of_the_times_is_refused_with_their_span(
    tmp_path: Path, make_dataset: MakeDataset, valid_from: object, test_from: object, sentence: str
) -> None:
    interactions = read(tmp_path / "t.csv", "seconds")
    rule = {"kind": "temporal", "valid_from": valid_from, "test_from": test_from}
    with pytest.raises(DataError, match=sentence) as caught:
        split_data(interactions, make_dataset(split=rule))
    assert "2021-01-01 05:00:00 to 2021-01-18 10:00:00 UTC" in str(caught.value)


@pytest.mark.parametrize("text", ["soon", "2021-02-30", "2021-13-01", "10:30", ""])
def test_what_is_no_moment_is_refused_in_a_sentence(text: str) -> None:
    wanted = {"kind": "temporal", "valid_from": text, "test_from": "2021-02-10"}
    with pytest.raises(InvalidError, match="is neither a date nor a number: write 2021-02-10"):
        validate(SplitRule, wanted)


def test_moments_that_are_written_differently_are_one_cell() -> None:
    run_spec = load_catalogue().run_spec("sasrec", "ml-100k", 50, 1)

    def settings(valid_from: object, test_from: object) -> str:
        rule = SplitRule.model_validate(
            {"kind": "temporal", "valid_from": valid_from, "test_from": test_from}
        )
        source = run_spec.source.model_copy(update={"split": rule})
        return run_spec.model_copy(update={"source": source}).settings()

    assert settings("2021-01-10", "2021-01-15") == settings(1610236800, 1610668800)
    assert settings("2021-01-10", "2021-01-15") != settings(1610236801, 1610668800)
