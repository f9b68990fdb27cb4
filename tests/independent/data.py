"""A data set's interactions as pandas reads them, split into training and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Data:
    """The interactions of one data set: rows of ``user``, ``item`` (from 1 on) and ``time``."""

    items: int
    train: pd.DataFrame
    test: pd.DataFrame
    """The targets, by user, then time."""

    @cached_property
    def interactions(self) -> pd.Series[Any]:
        """How often each item occurs in training."""
        return self._of_every_item(self.train["item"].value_counts())

    @cached_property
    def rarity(self) -> pd.Series[Any]:
        """The bits of each item: of the share of training's users who have it, or of one user's if
        nobody has."""
        users = self._of_every_item(self.train.groupby("item")["user"].nunique())
        return -np.log2(users.clip(lower=1) / self.train["user"].nunique())

    def _of_every_item(self, counts: pd.Series[Any]) -> pd.Series[Any]:
        return counts.reindex(range(1, self.items + 1), fill_value=0)

    def belongs(self, part: str) -> np.ndarray:
        """Which targets are ``warm``, or have an item of the ``head``, ``mid`` or ``tail``."""
        if part == "warm":
            known = [self.test[name].isin(self.train[name]) for name in ("user", "item")]
            return (known[0] & known[1]).to_numpy()
        order = self.interactions.sort_values(ascending=False, kind="stable").index
        place = pd.Series(range(1, self.items + 1), order)[self.test["item"]].to_numpy()
        head, upper = 10 * place <= self.items, 2 * place <= self.items
        return {"head": head, "mid": upper & ~head, "tail": ~upper}[part]


def read_data(folder: Path, source: Mapping[str, Any], *, with_validation: bool) -> Data | None:
    """Read a data set that is one file of user, item, rating and time between tabs, unfiltered;
    None of another kind.

    Args:
        with_validation: whether validation is trained on, too, as by a refit.
    """
    split = source["split"]
    if source["reader"] != "movielens-tab" or source["filter"]["repeats"] != "keep":
        return None
    if source["filter"]["min_rating"] is not None or source["filter"]["k_core"]:
        return None
    (name,) = source["files"]
    names = ["user", "item", "rating", "time"]
    rows = pd.read_csv(folder / source["folder"] / name, sep="\t", names=names)
    rows["user"] = pd.factorize(rows["user"])[0]  # as they come in the file
    rows["item"] = rows["item"].rank(method="dense").astype(int)
    rows = rows.sort_values(["user", "time"], kind="stable")
    by_user = rows.groupby("user")
    if split["kind"] == "leave-one-out":
        evaluated = by_user["item"].transform("size") >= 3
        left = by_user.cumcount(ascending=False)
        least = 1 if with_validation else 2
        train, test = ~evaluated | (left >= least), evaluated & (left == 0)
    elif (
        split["kind"] == "temporal"
        and split["targets"] == "successive"
        and not any(split[moment] for moment in ("valid_from", "test_from", "quantile"))
    ):
        times = np.sort(rows["time"])
        shares = split["valid_share"] + split["test_share"], split["test_share"]
        valid_from, test_from = (times[round(len(times) * (1 - share))] for share in shares)
        train = rows["time"] < (test_from if with_validation else valid_from)
        test = (rows["time"] >= test_from) & (by_user.cumcount() > 0)
    else:
        return None
    return Data(int(rows["item"].max()), rows[train], rows[test])
