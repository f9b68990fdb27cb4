"""What fitted models share: a sparse matrix between items, and how histories are scored by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.base import TrainingHistories

MOST_ENTRIES = 1 << 26
"""Of a dense part of a matrix, in float32 256 MiB. All of a catalogue of 8,000 items fits."""

TIE_BREAK = 1e-6
"""What the most popular item's score gets. Ties are frequent among counts, and count against."""

COLUMNS = 128
"""Of a matrix whose rows are summed, at a time: so few columns of a few thousand rows stay in a
processor's cache, where each row is read again and again."""

FIXED_POINT = 1 << 32
"""Weights are summed in multiples of one over this."""


class ItemRows(nn.Module):
    """A sparse matrix (V + 1, V + 1), by rows: what an item of a history adds to every score.

    Row 0, padding, is empty.
    """

    offsets: Tensor
    """int64 (V + 2,): row i has the entries ``offsets[i]`` to ``offsets[i + 1]``."""
    columns: Tensor
    """int32 (entries,)."""
    values: Tensor
    """float32 (entries,)."""

    def __init__(self, num_items: int) -> None:
        super().__init__()
        self.size = num_items + 1
        self.register_buffer("offsets", torch.zeros(self.size + 1, dtype=torch.int64))
        self.register_buffer("columns", torch.zeros(0, dtype=torch.int32))
        self.register_buffer("values", torch.zeros(0))
        self._whole: tuple[Tensor, Sequence[Tensor]] | None = None

    def fill(self, blocks: Iterable[Tensor]) -> None:
        """Take the entries that aren't 0 of all rows, given as dense blocks (rows, V + 1) in order,
        rounded to float32."""
        counts, columns, values = [], [], []
        for block in blocks:
            row, column = block.nonzero(as_tuple=True)
            counts.append(torch.bincount(row, minlength=len(block)))
            columns.append(column.int())
            values.append(block[row, column].float())
        device = self.offsets.device
        self.offsets = F.pad(torch.cat(counts).cumsum(0), (1, 0)).to(device)
        self.columns = torch.cat(columns).to(device)
        self.values = torch.cat(values).to(device)

    def scores(self, items: Tensor, weights: Tensor) -> Tensor:
        """Return the weighted sum of the rows of each history's last items, float32 (B, V + 1).

        Args:
            items: int64 (B, W), right-aligned; 0, padding, adds nothing.
            weights: float32 (n,): of the last item, of the one before it, and so on.
        """
        last = items[:, -len(weights) :]
        factors = weights[: last.shape[1]].flip(0) * (last > 0)
        if self.size**2 <= MOST_ENTRIES:
            # Rows that were loaded, fitted again or moved are other tensors.
            if self._whole is None or self._whole[0] is not self.values:
                every = torch.arange(self.size, device=items.device)
                self._whole = self.values, column_blocks(self._dense(every))
            return row_sums(self._whole[1], last, factors)
        users = max(1, MOST_ENTRIES // (last.shape[1] * self.size))
        parts = []
        for some, of_some in zip(
            torch.split(last, users), torch.split(factors, users), strict=True
        ):
            rows, places = torch.unique(some, return_inverse=True)
            parts.append(row_sums([self._dense(rows)], places, of_some))
        return torch.cat(parts)

    def _dense(self, rows: Tensor) -> Tensor:
        """Return rows, int64 (R,), as float32 (R, V + 1)."""
        starts = self.offsets[rows]
        counts = self.offsets[rows + 1] - starts
        shift = (starts - (counts.cumsum(0) - counts)).repeat_interleave(counts)
        entries = torch.arange(len(shift), device=rows.device) + shift
        row = torch.arange(len(rows), device=rows.device).repeat_interleave(counts)
        dense = torch.zeros(len(rows), self.size, device=rows.device)
        dense[row, self.columns[entries].long()] = self.values[entries]
        return dense


def column_blocks(table: Tensor) -> list[Tensor]:
    """Copy a matrix into blocks of `COLUMNS` columns, as `row_sums` takes them."""
    return [block.contiguous() for block in torch.split(table, COLUMNS, dim=1)]


def row_sums(blocks: Sequence[Tensor], items: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted sums (B, V + 1) of rows of a matrix.

    Args:
        blocks: (R, columns) each, side by side the matrix (R, V + 1).
        items: int64 (B, W): which rows.
        weights: float32 (B, W). A row of weight 0, such as that of padding, isn't read.
    """
    used = weights != 0
    counts = used.sum(dim=1)
    rows, factors, starts = items[used], weights[used], counts.cumsum(0) - counts
    return torch.cat(
        [
            F.embedding_bag(rows, block, starts, mode="sum", per_sample_weights=factors)
            for block in blocks
        ],
        dim=1,
    )


def distinct(items: Tensor) -> Tensor:
    """Return each history's items (B, W) in ascending order, with 0 in place of repeats."""
    ordered = items.sort(dim=1).values
    repeats = ordered == F.pad(ordered, (1, 0))[:, :-1]
    return ordered.masked_fill(repeats, 0)


def item_counts(train: TrainingHistories, num_items: int) -> Tensor:
    """Return how often each item occurs in training, int64 (V + 1,)."""
    return torch.bincount(train.items, minlength=num_items + 1)


def with_popularity(scores: Tensor, counts: Tensor) -> Tensor:
    """Let popularity decide between items of equal scores: add up to `TIE_BREAK` for it.

    Args:
        scores: float32 (B, V + 1).
        counts: (V + 1,) of `item_counts`.
    """
    return scores + counts * (TIE_BREAK / counts.max().clamp(min=1))


def row_blocks(size: int, width: int) -> Iterator[tuple[int, int]]:
    """Cut ``size`` rows into blocks, as their first row and one past the last, that have at most
    `MOST_ENTRIES` entries each (or are one row) if a row has ``width``."""
    rows = max(1, MOST_ENTRIES // max(1, width))
    for first in range(0, size, rows):
        yield first, min(first + rows, size)


def follow_counts(train: TrainingHistories, num_items: int, weights: Tensor) -> Iterator[Tensor]:
    """Yield how often items follow an item in the same history, weighted by distance.

    Args:
        weights: float64 (window,): that of the next item, of the one after it, and so on.

    Yields:
        Blocks (rows, V + 1) in float64 of all V + 1 rows, in order: rows are the earlier items.
    """
    size = num_items + 1
    # Whole numbers have the same sum in any order, which GPUs don't keep.
    steps = (weights * FIXED_POINT).round().long().to(train.items.device)
    ends = train.offsets[1:].repeat_interleave(train.offsets.diff())
    for first, last in row_blocks(size, size):
        places = ((train.items >= first) & (train.items < last)).nonzero().squeeze(1)
        block = torch.zeros((last - first) * size, dtype=torch.int64, device=places.device)
        for distance, weight in enumerate(steps, 1):
            # A place without an item so far after it has none further on.
            places = places[places + distance < ends[places]]
            entries = (train.items[places] - first) * size + train.items[places + distance]
            block.index_add_(0, entries, weight.expand(len(entries)))
        yield block.view(-1, size).double().div_(FIXED_POINT)


def cooccurrences(train: TrainingHistories, num_items: int) -> Iterator[Tensor]:
    """Yield how many users have both of two items; on the diagonal, how many have one.

    Yields:
        Blocks (rows, V + 1) in float32 of all V + 1 rows, in order.
    """
    users = len(train.offsets) - 1
    for first, last in row_blocks(num_items + 1, max(users, num_items + 1)):
        yield _cooccurrences(train, num_items, first, last)


@lru_cache(maxsize=1)  # of the last block: all of a small catalogue's, fitted again and again
def _cooccurrences(train: TrainingHistories, num_items: int, first: int, last: int) -> Tensor:
    items, user = _holders(train)
    inside = (items >= first) & (items < last)
    holders, row = torch.unique(user[inside], return_inverse=True)
    has = torch.zeros(len(holders), last - first, device=items.device)
    has[row, items[inside] - first] = 1
    # Of a large catalogue few users have one of the block's items: the others' aren't looked at.
    places = torch.full((len(train.offsets) - 1,), -1, device=items.device)
    places[holders] = torch.arange(len(holders), device=items.device)
    known = places[user] >= 0
    counts = torch.bincount(items[known], minlength=num_items + 1)
    starts = counts.cumsum(0) - counts
    of = places[user[known]]
    return torch.cat([F.embedding_bag(of, b, starts, mode="sum").T for b in column_blocks(has)])


def user_counts(train: TrainingHistories, num_items: int) -> Tensor:
    """Return how many users have each item in training, int64 (V + 1,)."""
    return torch.bincount(_holders(train)[0], minlength=num_items + 1)


@lru_cache(maxsize=1)  # asked for each block, and by each fit
def _holders(train: TrainingHistories) -> tuple[Tensor, Tensor]:
    """Return the distinct pairs of an item and a user who has it, by item, int64 (pairs,) each."""
    users = max(1, len(train.offsets) - 1)
    lengths = train.offsets.diff()
    user = torch.arange(len(lengths), device=lengths.device).repeat_interleave(lengths)
    pairs = torch.unique(train.items * users + user)
    return pairs // users, pairs % users
