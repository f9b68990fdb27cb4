"""CSV histories of loggers that spread an epoch over rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UserError
from engine.interchange.csvhistory import read_csv
from engine.interchange.histories import EpochFigures, History
from engine.interchange.tagmap import TagMap, load_tag_map

COLUMNS = ("loss", "lr", "valid_ndcg", "valid_recall")


def histories(text: str, known: TagMap | None = None) -> list[History]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.csv"
        path.write_text(text)
        return read_csv(path, known or load_tag_map()).histories


def epochs_of(text: str) -> list[tuple[int, dict[str, float]]]:
    (history,) = histories(text)
    return [(each.epoch, dict(each.figures)) for each in history.epochs]


def test_training_and_validation_in_rows_of_their_own_are_one_epoch() -> None:
    text = (
        "epoch,step,loss,valid_ndcg,valid_recall,lr-Adam\n"
        ",20,,,,0.001\n"
        "0,30,,0.05,0.1,\n"
        "0,30,7.25,,,\n"
        "1,61,,0.075,0.125,\n"
        "1,61,6.5,,,\n"
    )
    assert epochs_of(text) == [
        (0, {"valid_ndcg": 0.05, "valid_recall": 0.1, "loss": 7.25}),
        (1, {"valid_ndcg": 0.075, "valid_recall": 0.125, "loss": 6.5}),
    ]


def test_a_header_that_is_repeated_and_rows_that_are_repeated_add_nothing() -> None:
    text = "epoch,loss,lr\n1,2.5,\nepoch,loss,lr\n1,2.5,0.1\n\n2,2,0.1\n2,2,0.1\n"
    assert epochs_of(text) == [(1, {"loss": 2.5, "lr": 0.1}), (2, {"loss": 2.0, "lr": 0.1})]


def test_a_length_and_a_seed_of_the_same_number_are_two_runs() -> None:
    text = "model,length,seed,epoch,valid_ndcg\na,50,,1,0.1\na,,50,2,0.2\n"
    assert [each.named for each in histories(text)] == [
        {"model": "a", "length": "50"},
        {"model": "a", "seed": "50"},
    ]


def test_an_epoch_ends_with_its_last_row() -> None:
    text = "epoch,_step,_timestamp,loss,valid_ndcg\n1,9,1700000005,3,\n1,10,1700000007.5,,0.5\n"
    (history,) = histories(text)
    assert history.epochs == [EpochFigures(1, 1_700_000_007.5, {"loss": 3.0, "valid_ndcg": 0.5})]


def test_a_figure_that_is_no_number_gives_way_to_one_that_is() -> None:
    assert epochs_of("epoch,loss,lr\n1,nan,0.1\n1,3,nan\n") == [(1, {"loss": 3.0, "lr": 0.1})]


def test_columns_that_the_map_does_not_know_are_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,step,train_loss,a,b,c,lr,Loss/train\n1,9,7,1,2,3,0.1,4\n")
    assert read_csv(path, load_tag_map()).passed_over == [
        f"{path}: columns that the map doesn't know (--map) are ignored: 'train_loss', 'a', 'b' "
        "and 1 more."
    ]
    known = TagMap(tags={"train_loss": "loss", "a": None, "b": None, "c": None, "Loss/train": None})
    assert read_csv(path, known).passed_over == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch,step,loss\n3,1,7.5\n3,2,7.25\n", ":3: 'loss' of epoch 3 is 7.25, and was 7.5"),
        ("epoch,loss\n,7.5\n", ":2: epoch is '', which isn't an epoch"),
        ("run,seed,epoch,lr\na,1,1,1\na,,2,1\na,2,3,1\n", ":4: 'a' had another cell or seed"),
    ],
)
def test_what_contradicts_itself_is_named(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        histories(text)


figures = st.dictionaries(st.sampled_from(COLUMNS), st.floats(0, 100), min_size=1)
runs = st.dictionaries(st.integers(0, 9), figures, min_size=1, max_size=5)


@given(data=st.data(), run=runs)
def test_any_way_to_spread_an_epoch_over_rows_is_the_same_history(
    data: st.DataObject, run: dict[int, dict[str, float]]
) -> None:
    whole = [{"epoch": epoch, **told} for epoch, told in run.items()]
    parts = []
    for epoch, told in run.items():
        cells = list(told.items())
        for name, value in cells:
            parts.append({"epoch": epoch, name: value})
        again = data.draw(st.lists(st.sampled_from(cells), max_size=3))
        parts.append({"epoch": epoch, **dict(again)})
    shuffled = data.draw(st.permutations(parts))
    assert epochs_of(written(shuffled)) == [
        (epoch, told) for epoch, told in sorted(epochs_of(written(whole)))
    ]


def written(rows: Sequence[dict[str, float]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, ("epoch", *COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
