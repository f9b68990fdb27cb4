"""Targets, histories and averages on MovieLens 100K, worked out apart with pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from engine.analysis.pairs.significance import per_user
from engine.config import load_catalogue
from engine.datasets.load import open_data
from engine.datasets.splitting.splits import SPLITS, split_data, with_validation
from engine.spec import Dataset
from engine.training.ranking.evaluation import metric_columns

COLUMNS = ["user", "item", "rating", "time"]
RULES = [
    {"kind": "leave-one-out"},
    *(
        {"kind": kind, "targets": targets}
        for kind in ("temporal", "given")
        for targets in ("successive", "last", "random", "first")
    ),
    {"kind": "temporal", "quantile": 0.9},
    {"kind": "temporal", "valid_share": 0.2, "test_share": 0.3, "targets": "last"},
    {"kind": "temporal", "valid_from": "1998-03-01", "test_from": "1998-04-01"},
]


def moments(frame: pd.DataFrame, rule: dict[str, object]) -> list[float]:
    """The first times of validation and test."""
    if "valid_from" in rule:
        return [pd.Timestamp(str(rule[name])).timestamp() for name in ("valid_from", "test_from")]
    if "quantile" in rule:
        test = frame.time.quantile(0.9)
        return [frame.time[frame.time <= test].quantile(0.9) + 0.5, test + 0.5]
    shares = rule.get("valid_share", 0.1), rule.get("test_share", 0.1)
    ordered = np.sort(frame.time)
    return [ordered[int(len(frame) * (1 - sum(some)))] for some in (shares, shares[1:])]  # type: ignore[arg-type]


def drawn(user: int, many: int) -> int:
    """SplitMix64."""
    x = (user + 1) * 0x9E3779B97F4A7C15 % 2**64
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    return (x ^ (x >> 31)) % many


def apart(frame: pd.DataFrame, rule: dict[str, object]) -> dict[str, pd.DataFrame]:
    """What a run and its refit train on, and the targets of validation and test, each with its
    place in its user's history."""
    number = {user: n for n, user in enumerate(frame.user.unique())}
    frame = frame.sort_values(["user", "time"], kind="stable").reset_index(drop=True)
    frame["place"] = frame.groupby("user").cumcount()
    if rule["kind"] == "leave-one-out":
        frame["part"] = (2 - frame.groupby("user").cumcount(ascending=False)).clip(lower=0)
    else:
        frame["part"] = np.searchsorted(moments(frame, rule), frame.time, side="right")
    begins = frame.groupby(["user", "part"]).cumcount() == 0
    held = frame[frame.place > 0]  # nothing is before the others
    of_part = held.groupby(["user", "part"])
    nth, many = of_part.cumcount(), of_part.place.transform("size")
    held = held[{
        "first": begins[held.index],
        "last": nth == many - 1,
        "random": nth == [drawn(number[u], n) for u, n in zip(held.user, many, strict=True)],
    }.get(str(rule.get("targets")), many > 0)]  # fmt: skip
    found = {"train": frame[frame.part == 0], "refit": frame[frame.part < 2]}
    return found | {"valid": held[held.part == 1], "test": held[held.part == 2]}


def dataset_of(rule: dict[str, object], frame: pd.DataFrame, folder: Path) -> Dataset:
    base = load_catalogue().dataset("ml-100k").model_dump()
    if rule["kind"] != "given":
        return Dataset.model_validate(base | {"split": rule})
    part = np.searchsorted(moments(frame, rule), frame.time, side="right")
    names = ["train.data", "valid.data", "test.data"]
    for code, name in enumerate(names):
        frame[part == code].to_csv(folder / name, sep="\t", header=False, index=False)
    own = {"files": dict.fromkeys(names), "local": str(folder), "archive": None, "titles": None}
    return Dataset.model_validate(base | own | {"name": "given", "split": rule})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(map(str, rule.values())))
def test_every_rule_is_what_pandas_makes_of_the_file(
    rule: dict[str, object], real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = real_data / "ml-100k" / "u.data"
    if not file.exists():
        pytest.skip("ml-100k is not under SEQBENCH_DATA")
    monkeypatch.setenv("SEQBENCH_DATA", str(real_data))
    frame = pd.read_csv(file, sep="\t", names=COLUMNS)
    dataset = dataset_of(rule, frame, tmp_path)
    if rule["kind"] == "given":  # users and ties are in the order of the files, one after the other
        frame = pd.concat([pd.read_csv(tmp_path / name, sep="\t", names=COLUMNS)
                           for name in dataset.files], ignore_index=True)  # fmt: skip
    opened, expected = open_data(dataset), apart(frame, rule)
    split, own = split_data(opened.interactions, dataset), opened.interactions
    for trained, name in ((split, "train"), (with_validation(split), "refit")):
        ends = pd.Series(trained.train_end - own.offsets[:-1], index=opened.user_ids)
        many = expected[name].groupby("user").size()
        assert ends[ends > 0].sort_index().to_dict() == many.to_dict()
    chance = np.random.default_rng(5)
    for name in SPLITS:
        users, ends = split.users(name), split.ends(name)
        places = ends - own.offsets[users]
        found = pd.DataFrame({
            "user": opened.user_ids[users], "place": places,
            "item": opened.item_ids[split.targets(name) - 1],
        }).sort_values(["user", "place"])  # fmt: skip
        wanted = expected[name]
        for column in ("user", "place", "item"):
            assert found[column].tolist() == wanted[column].tolist()
        histories = frame.sort_values("time", kind="stable").groupby("user").item.apply(list)
        for user, place, end in list(zip(users, places, ends, strict=True))[::7]:
            before = opened.item_ids[own.items[end - place : end] - 1]
            assert before.tolist() == histories[opened.user_ids[user]][:place]
        rank = chance.integers(1, 30, len(users)).astype(np.int32)
        gain = pd.Series(np.where(rank <= 10, 1 / np.log2(1 + rank), 0.0))
        mean = gain.groupby(users).mean().mean()
        columns = metric_columns(name, torch.from_numpy(np.stack([rank, rank])), users)
        assert columns[f"{name}_ndcg"] == pytest.approx(mean, rel=1e-12)
        assert per_user(rank, "ndcg", users).mean() == pytest.approx(mean, rel=1e-12)
