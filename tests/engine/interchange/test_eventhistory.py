"""Event folders of loggers that write a run's training and validation into folders apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.interchange.eventhistory import read_event_folders
from engine.interchange.events import Scalars, write_scalars
from engine.interchange.tagmap import TagMap

T = 1_700_000_000.0
TAGS = TagMap(
    tags={"loss": "loss", "rate": "lr", "ndcg": "valid_ndcg", "recall": "valid_recall"},
    folders=("{model}-{dataset}-l{length}-s{seed}",),
)

Moments = Sequence[tuple[int, Mapping[str, float]]]


def events(folder: Path, moments: Moments) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "events.out.tfevents.1700000000.host.v2").open("wb") as file:
        write_scalars(file, T, (Scalars(T + step, step, values) for step, values in moments))


TRAINING = [(0, {"loss": 7.5}), (1, {"loss": 7.25}), (2, {"loss": 7.0})]
VALIDATION = [(0, {"ndcg": 0.125}), (1, {"ndcg": 0.25}), (2, {"ndcg": 0.5})]


@pytest.mark.parametrize("names", [("train", "validation"), ("Train", "val"), ("", "eval")])
def test_the_parts_of_a_run_are_one_run_with_the_name_of_the_folder_above(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    for seed in (1, 2):
        folder = tmp_path / "logs" / f"sasrec-ml-l50-s{seed}"
        events(folder / names[0], TRAINING)
        events(folder / names[1], VALIDATION)
    found = read_event_folders(tmp_path / "logs", TAGS)
    assert found.passed_over == []
    assert [each.named["seed"] for each in found.histories] == ["1", "2"]
    for history in found.histories:
        assert [(each.epoch, each.t, dict(each.figures)) for each in history.epochs] == [
            (1, T, {"loss": 7.5, "valid_ndcg": 0.125}),
            (2, T + 1, {"loss": 7.25, "valid_ndcg": 0.25}),
            (3, T + 2, {"loss": 7.0, "valid_ndcg": 0.5}),
        ]


def test_a_folder_that_is_named_itself_is_a_run(tmp_path: Path) -> None:
    events(tmp_path / "train", TRAINING)
    events(tmp_path / "other", TRAINING)
    (history,) = read_event_folders(tmp_path / "train", TAGS).histories
    assert history.source == str(tmp_path / "train")
    assert len(read_event_folders(tmp_path, TAGS).histories) == 2


def test_one_tag_in_both_folders_is_told_apart_by_the_map_or_left_out_with_a_word(
    tmp_path: Path,
) -> None:
    events(tmp_path / "train", [(0, {"epoch_loss": 7.0}), (1, {"epoch_loss": 6.0})])
    events(tmp_path / "validation", [(0, {"epoch_loss": 7.0, "ndcg": 0.5}), (1, {"epoch_loss": 9})])
    plain = TagMap(tags={"epoch_loss": "loss", "ndcg": "valid_ndcg"})
    found = read_event_folders(tmp_path, plain)
    (said,) = found.passed_over
    assert "validation has another loss at step 1 than the folders next to it" in said
    (history,) = found.histories
    assert [each.figures["loss"] for each in history.epochs] == [7.0]
    apart = TagMap(tags={**plain.tags, "validation/epoch_loss": None})
    assert read_event_folders(tmp_path, apart).passed_over == []
    apart = TagMap(tags={"train/epoch_loss": "loss", "ndcg": "valid_ndcg"})
    assert read_event_folders(tmp_path, apart).histories[0].epochs == history.epochs


figures = st.dictionaries(
    st.sampled_from(tuple(TAGS.tags)), st.sampled_from((0.25, 0.5, 1.0)), min_size=1
)


@settings(max_examples=30)
@given(data=st.data(), run=st.dictionaries(st.integers(0, 9), figures, min_size=1, max_size=5))
def test_any_way_to_spread_figures_over_folders_is_the_same_history(
    data: st.DataObject, run: dict[int, dict[str, float]]
) -> None:
    parts: dict[str, list[tuple[int, dict[str, float]]]] = {}
    for step, told in sorted(run.items()):
        for tag, value in told.items():
            for name in data.draw(
                st.lists(st.sampled_from(("", "train", "validation")), min_size=1, max_size=2)
            ):
                parts.setdefault(name, []).append((step, {tag: value}))
    with TemporaryDirectory() as folder:
        whole, spread = Path(folder, "whole"), Path(folder, "spread")
        events(whole, sorted(run.items()))
        for name, moments in parts.items():
            events(spread / name, moments)
        (expected,) = read_event_folders(whole, TAGS).histories
        found = read_event_folders(spread, TAGS)
    assert found.passed_over == []
    assert [each.epochs for each in found.histories] == [expected.epochs]
