"""Splitting histories into training, validation and test.

**Leave-one-out**: the last item of a history is test, the one before it validation, the rest
training (Kang & McAuley 2018, section IV-A). Users with fewer than three interactions are trained
on, but not evaluated.

**Temporal**: interactions before a time t₁ are training, from t₁ validation, from t₂ test, with the
same times for all users, so that no later interaction is trained on than is predicted (Meng et al.
2020 on how splits differ; Ji et al. 2023 on leakage). The rule says which of a user's items in the
period are targets (`engine.datasets.splitting.targets`).

**Given**: the source has a file each for training, validation and test. A history is its training
part, then its validation part, then its test part; targets are chosen among the items of a part.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from engine.datasets.interactions import Interactions
from engine.datasets.readers.source import CONTEXT, TEST, VALID
from engine.datasets.splitting.targets import HeldOut, targets_of_periods
from engine.datasets.times import moment_within, span_text, time_text
from engine.errors import DataError
from engine.spec import Dataset, RunSpec, SplitRule, Targets
from engine.spec.moments import microseconds, per_second

Split = Literal["valid", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

EVERY = slice(None)

FEWEST_EVALUATED = 3
"""Interactions that a user needs to be evaluated by leave-one-out."""


@dataclass(frozen=True)
class SplitData:
    """A data set, split."""

    interactions: Interactions
    train_end: NDArray[np.int64]
    """(users,): one past the last training interaction of each user in ``interactions.items``."""
    valid: HeldOut
    test: HeldOut
    test_begin: NDArray[np.int64]
    """(users,): where in ``interactions.items`` what test holds out of each user begins."""
    moments: tuple[int, int] | None = None
    """Of a temporal split: where validation and test begin, in the unit of the times."""

    def held_out(self, split: Split) -> HeldOut:
        """Return ``valid`` or ``test``."""
        return self.valid if split == "valid" else self.test

    def users(self, split: Split) -> NDArray[np.int64]:
        """Return the user of each target, (targets,), ascending."""
        return self.held_out(split).users

    def ends(self, split: Split) -> NDArray[np.int64]:
        """Return the end of the history before each target, (targets,). The history before a test
        item includes the validation item.
        """
        return self.held_out(split).ends

    def targets(self, split: Split) -> NDArray[np.int32]:
        """Return the held-out items, (targets,)."""
        return self.interactions.items[self.ends(split)]

    def training_counts(self) -> NDArray[np.int64]:
        """Count the training interactions of each item, (V + 1,); of padding, 0, there are none."""
        own, size = self.interactions, self.interactions.num_items + 1
        left = own.offsets[1:] - self.train_end
        rows = np.repeat(self.train_end - (np.cumsum(left) - left), left) + np.arange(left.sum())
        counts: NDArray[np.int64] = np.bincount(own.items, minlength=size)
        counts -= np.bincount(own.items[rows], minlength=size)
        return counts

    def cold(self, split: Split) -> NDArray[np.bool_]:
        """Return which targets, (evaluated,), are items that no training interaction has."""
        never: NDArray[np.bool_] = self.training_counts()[self.targets(split)] == 0
        return never

    def cold_users(self, split: Split) -> NDArray[np.bool_]:
        """Return which evaluated users, (evaluated,), have no training interaction."""
        users = self.held_out(split).evaluated
        never: NDArray[np.bool_] = self.train_end[users] == self.interactions.offsets[users]
        return never

    def warm(self, split: Split) -> NDArray[np.bool_]:
        """Return which targets, (targets,), are items of training and of users of training."""
        many = np.diff(self.held_out(split).bounds)
        return ~self.cold(split) & ~np.repeat(self.cold_users(split), many)

    def tied(self, split: Split) -> NDArray[np.bool_] | None:
        """Return which targets, (targets,), are decided by a tie: they have the time of the
        interaction before or after them, which another order of the two would hold out instead.

        ``None`` if the source has no times. What is in another file of a split that is given is no
        tie, whatever its time.
        """
        own, ends = self.interactions, self.ends(split)
        if own.times is None:
            return None
        starts, lasts = own.offsets[self.users(split)], own.offsets[self.users(split) + 1]
        found = np.zeros(len(ends), np.bool_)
        for other in (ends - 1, ends + 1):
            there = (other >= starts) & (other < lasts)
            one, two = ends[there], other[there]
            alike = own.times[one] == own.times[two]
            if own.parts is not None:
                alike &= own.parts[one] == own.parts[two]
            found[there] |= alike
        return found

    def histories(
        self, split: Split, length: int, rows: NDArray[np.int64] | slice = EVERY
    ) -> NDArray[np.int32]:
        """Return the last items before targets, (rows, length), left-padded with 0.

        Args:
            rows: indices of targets; all of them take targets · length numbers.
        """
        found = self.held_out(split)
        return last_items(self.interactions, found.users[rows], found.ends[rows], length)

    def history_times(
        self, split: Split, length: int, rows: NDArray[np.int64] | slice = EVERY
    ) -> NDArray[np.int64] | None:
        """Return the times of `histories`, (rows, length), 0 at padding; ``None`` if the source has
        no times."""
        found = self.held_out(split)
        return last_times(self.interactions, found.users[rows], found.ends[rows], length)


def run_split(interactions: Interactions, spec: RunSpec) -> SplitData:
    """Split as a run trains and is evaluated. Raises `DataError` as `split_data` does."""
    split = split_data(interactions, spec.source)
    return with_validation(split) if spec.training.refit else split


def evaluated_splits(spec: RunSpec) -> tuple[Split, ...]:
    """Return the splits whose items are ranked in a run: a refit has no validation, a trial of a
    study no test."""
    absent = {"valid": spec.training.refit, "test": spec.trial is not None}
    return tuple(split for split in SPLITS if not absent[split])


def with_validation(split: SplitData) -> SplitData:
    """Train on all that comes before what test holds out, and evaluate test alone."""
    none = np.zeros(0, np.int64)
    return replace(split, train_end=split.test_begin, valid=HeldOut(none, none))


def split_data(interactions: Interactions, dataset: Dataset) -> SplitData:
    """Split by the data set's rule.

    Raises:
        DataError: a temporal split of data without times or at a moment outside of them, a split
            that its files should give and don't, or one that has nothing to train on or evaluates
            no user.
    """
    rule, times = dataset.split, interactions.times
    if rule.kind == "leave-one-out":
        return leave_one_out(interactions)
    if rule.kind == "given":
        if interactions.parts is None:
            raise DataError(
                f"{dataset.title} can't be split as given: it was read from a single file. "
                "Use kind: leave-one-out."
            )
        split, remedy = given(interactions, rule.targets), "give files that share users"
    elif times is None:
        raise DataError(
            f"{dataset.title} can't be split by time: its source has no times. "
            "Use kind: leave-one-out."
        )
    else:
        try:
            split = temporal(interactions, *moments(times, rule), rule.targets)
        except DataError as error:
            raise DataError(f"{dataset.title}: {error}") from None
        span = span_text(int(times.min()), int(times.max()))
        remedy = f"choose other moments or shares (the times are {span})"
    where = "file" if rule.kind == "given" else "period"
    if (split.train_end == interactions.offsets[:-1]).all():
        raise DataError(
            f"{dataset.title}: nothing to train on is before the validation {where}: {remedy}."
        )
    for name, held_out in (("validation", split.valid), ("test", split.test)):
        if not len(held_out.users):
            raise DataError(
                f"{dataset.title}: no user has an interaction in the {name} {where} and one before "
                f"it: {remedy}."
            )
    return split


def data_checksum(interactions: Interactions, dataset: Dataset) -> str:
    """Compute the checksum of what a run trains on and is evaluated on: SHA-256, in hex.

    It is that of the interactions where they decide the split. A temporal one depends on times
    too, so that what it holds out is hashed with it.

    Raises:
        DataError: the data can't be split as the data set says.
    """
    if dataset.split.kind != "temporal":
        return interactions.checksum
    split = split_data(interactions, dataset)
    digest = hashlib.sha256(interactions.checksum.encode())
    for held_out in (split.valid, split.test):
        for bounds in (split.train_end, held_out.users, held_out.ends):
            digest.update(np.ascontiguousarray(bounds, dtype="<i8").data)
    return digest.hexdigest()


def leave_one_out(interactions: Interactions) -> SplitData:
    """Hold out each user's last two items."""
    counts = np.diff(interactions.offsets)
    evaluated = counts >= FEWEST_EVALUATED
    users = np.flatnonzero(evaluated)
    ends = interactions.offsets[users + 1]
    return SplitData(
        interactions=interactions,
        train_end=interactions.offsets[1:] - 2 * evaluated,
        valid=HeldOut(users, ends - 2),
        test=HeldOut(users, ends - 1),
        test_begin=interactions.offsets[1:] - evaluated,
    )


def temporal(
    interactions: Interactions, valid_from: int, test_from: int, targets: Targets = "successive"
) -> SplitData:
    """Hold out the interactions from ``valid_from`` on, and from ``test_from`` on."""
    times = interactions.times
    assert times is not None
    valid_at, test_at = (_after(interactions, times < each) for each in (valid_from, test_from))
    return _periods(interactions, valid_at, valid_at, test_at, targets, (valid_from, test_from))


def given(interactions: Interactions, targets: Targets = "successive") -> SplitData:
    """Hold out what the source's files of validation and test have."""
    parts = interactions.parts
    assert parts is not None
    train_end, valid_at, test_at = (
        _after(interactions, parts < part) for part in (CONTEXT, VALID, TEST)
    )
    return _periods(interactions, train_end, valid_at, test_at, targets)


def _periods(
    interactions: Interactions,
    train_end: NDArray[np.int64],
    valid_at: NDArray[np.int64],
    test_at: NDArray[np.int64],
    targets: Targets,
    found: tuple[int, int] | None = None,
) -> SplitData:
    """Hold out the periods of each history, and choose targets among their items.

    Args:
        train_end: (users,): one past the last training interaction.
        valid_at: (users,): where the period of validation begins.
        test_at: (users,): where it ends, and that of test begins.
        found: `SplitData.moments`.
    """
    starts, lasts = interactions.offsets[:-1], interactions.offsets[1:]
    valid = targets_of_periods(starts, valid_at, test_at, targets)
    test = targets_of_periods(starts, test_at, lasts, targets)
    return SplitData(interactions, train_end, valid, test, test_at, found)


def moments(times: NDArray[np.int64], rule: SplitRule) -> tuple[int, int]:
    """Return the start times of validation and test: the rule's own, or those that give its
    quantile or its shares.

    Raises:
        DataError: the rule's own lie outside the times, or not one after the other.
    """
    if rule.valid_from is not None and rule.test_from is not None:
        valid_from = _within(times, "valid_from", rule.valid_from)
        test_from = _within(times, "test_from", rule.test_from)
        if valid_from >= test_from:
            raise DataError("valid_from must be before test_from.")
        return valid_from, test_from
    if rule.quantile is not None:
        test_from = _later_than(times, rule.quantile)
        before = times[times < test_from]
        return _later_than(before, rule.quantile), test_from
    places = [
        min(len(times) - 1, int(len(times) * share))
        for share in (1 - rule.valid_share - rule.test_share, 1 - rule.test_share)
    ]
    valid_from, test_from = np.partition(times, places)[places].tolist()
    return valid_from, test_from


def _later_than(times: NDArray[np.int64], quantile: float) -> int:
    """Return the first moment after a quantile of some times, as `GlobalTimeSplitter` of Time to
    Split (RecSys 2025) divides them."""
    return int(np.floor(np.quantile(times.astype(np.float64), quantile))) + 1


def _within(times: NDArray[np.int64], name: str, number: float) -> int:
    """Return a moment of the rule, in microseconds. Raises `DataError` if it is outside of the
    times."""
    first, last = int(times.min()), int(times.max())
    found = moment_within(number, first, last)
    if found is None:
        moment = time_text(microseconds(number, per_second(number)), last)
        period = "validation" if name == "valid_from" else "test"
        raise DataError(
            f"{name}, {moment}, is outside of the times, {span_text(first, last)}, so no user has "
            f"anything in the {period} period: choose other moments."
        )
    return found


def _after(interactions: Interactions, before: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the index (users,) one past those interactions of each history, its first ones, that
    are ``before``, (interactions,)."""
    many = np.concatenate([[0], np.cumsum(before)])
    offsets = interactions.offsets
    found: NDArray[np.int64] = offsets[:-1] + (many[offsets[1:]] - many[offsets[:-1]])
    return found


def last_items(
    interactions: Interactions, users: NDArray[np.int64], ends: NDArray[np.int64], length: int
) -> NDArray[np.int32]:
    """Return the last ``length`` items of each user before ``ends``.

    Args:
        users: (B,) user numbers.
        ends: (B,) one past each history's last position in ``interactions.items``.

    Returns:
        (B, length) int32, oldest first, right-aligned; 0 where the history is shorter.
    """
    inside, position = _last(interactions, users, ends, length)
    return np.where(inside, interactions.items[position], 0).astype(np.int32)


def last_times(
    interactions: Interactions, users: NDArray[np.int64], ends: NDArray[np.int64], length: int
) -> NDArray[np.int64] | None:
    """Return the times of `last_items`, (B, length) int64, in microseconds since 1970; 0 where the
    history is shorter. ``None`` if the source has no times."""
    if interactions.times is None:
        return None
    inside, position = _last(interactions, users, ends, length)
    return np.where(inside, interactions.times[position], 0)


def _last(
    interactions: Interactions, users: NDArray[np.int64], ends: NDArray[np.int64], length: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which of the last ``length`` positions before ``ends`` are the users' own, (B,
    length), and the positions, (B, length), 0 where they aren't."""
    position = ends[:, None] - length + np.arange(length)
    inside = position >= interactions.offsets[users][:, None]
    # Positions before the history may lie before the array.
    return inside, np.where(inside, position, 0)


def first_places(interactions: Interactions) -> NDArray[np.int64]:
    """Return the places in ``interactions.items`` where an item is in its history for the first
    time, ascending: those of them in any beginning of a history are its distinct items."""
    lengths = np.diff(interactions.offsets)
    user = np.repeat(np.arange(len(lengths)), lengths)
    keys = user * (interactions.num_items + 1) + interactions.items
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    first: NDArray[np.int64] = np.sort(order[np.diff(sorted_keys, prepend=-1) != 0])
    return first
