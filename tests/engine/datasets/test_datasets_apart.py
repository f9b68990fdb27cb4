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
from engine.datasets.splits import SPLITS, split_data
from engine.spec import Dataset
from engine.training.evaluation import metric_columns

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
    """The targets of validation and test, with their places in their users' histories."""
    number = {user: n for n, user in enumerate(frame.user.unique())}
    frame = frame.sort_values(["user", "time"], kind="stable").reset_index(drop=True)
    of_user = frame.groupby("user")
    frame["place"], size = of_user.cumcount(), of_user.item.transform("size")
    if rule["kind"] == "leave-one-out":
        part = np.select([frame.place == size - 1, frame.place == size - 2], [2, 1], 0)
    else:
        part = np.searchsorted(moments(frame, rule), frame.time, side="right")
    found = {"train": frame[part == 0]}
    for split, code in (("valid", 1), ("test", 2)):
        rows = frame[part == code]
        if rule.get("targets") == "first":
            rows = rows.groupby("user").head(1)
        rows = rows[rows.place > 0]
        if rule.get("targets") == "last":
            rows = rows.groupby("user").tail(1)
        if rule.get("targets") == "random":
            picked = rows.groupby("user").item.transform("size")
            order = rows.groupby("user").cumcount()
            rows = rows[order == [drawn(number[u], n) for u, n in zip(rows.user, picked)]]  # noqa: B905
        found[split] = rows
    return found


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
    assert (split.train_end - own.offsets[:-1]).sum() == len(expected["train"])
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
