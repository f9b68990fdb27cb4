"""What a trained model recommends to a user: the next item after all but the true one."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.datasets.splits import SplitData
from engine.errors import DataError
from engine.models.base import SequenceModel
from engine.models.registry import build
from engine.spec import RunSpec


@dataclass(frozen=True)
class Prediction:
    """For one user, in item numbers."""

    history: list[int]
    """The last items before the true one, oldest first; at most what the model sees."""
    true: int | None
    """What the user in fact came to next; None where the split tests nothing of this user, and
    the history is then all there is."""
    rank: int | None
    """Of the true item among all items; a tie counts against it."""
    rank_masked: int | None
    """The same with the user's seen items masked."""
    top: list[tuple[int, float, bool]]
    """The best items with their scores, and whether the user has had them before."""


def trained_model(spec: RunSpec, weights: Path, num_items: int) -> SequenceModel:
    """The model of a run, with the weights of its chosen epoch, on the CPU.

    Raises:
        DataError: there are none yet, they are damaged, or they are of other data.
    """
    model = build(spec.architecture, num_items, spec.length)
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        model.load_state_dict(state)
    except FileNotFoundError as error:
        raise DataError("The run has no weights: they are kept when it is done.") from error
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        raise DataError(f"The run's weights can't be read: {weights} is damaged.") from error
    except RuntimeError as error:
        raise DataError(
            f"The run's weights don't fit {spec.dataset} as it is here, with {num_items:,} items: "
            "its files, filter or catalogue entry have changed since."
        ) from error
    return model.eval()


@torch.inference_mode()
def predict(
    model: SequenceModel, split: SplitData, user: int, top: int, *, mask_seen: bool = False
) -> Prediction:
    """Rank all items for a user (its number, from 0) after the history before its test item.

    Args:
        top: how many of the best items to return.
        mask_seen: leave those out that the user has had before.
    """
    own = split.interactions
    start, end = int(own.offsets[user]), int(own.offsets[user + 1])
    place = int(np.searchsorted(split.test.users, user))
    tested = place < len(split.test.users) and split.test.users[place] == user
    at = int(split.test.ends[place]) if tested else end
    true = int(own.items[at]) if tested else None

    history = own.items[max(start, at - model.length) : at]
    seen = torch.from_numpy(np.unique(own.items[start:at]).astype(np.int64))
    padded = torch.zeros(1, model.length, dtype=torch.long)
    padded[0, model.length - len(history) :] = torch.from_numpy(history.astype(np.int64))
    scores: Tensor = model.logits(model.query(padded).float())[0].float()
    scores[0] = -torch.inf

    is_seen = torch.zeros(len(scores), dtype=torch.bool)
    is_seen[seen] = True
    rank = rank_masked = None
    if true is not None:
        above = ~(scores[1:] < scores[true])
        rank = int(above.sum())
        others = is_seen.clone()
        others[true] = False
        rank_masked = rank - int(above[others[1:]].sum())
    ranked = scores.masked_fill(is_seen, -torch.inf) if mask_seen else scores
    best = torch.topk(ranked, min(top, len(scores) - 1))
    items = [
        (item, score, bool(is_seen[item]))
        for item, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        if score != float("-inf")
    ]
    return Prediction(history.tolist(), true, rank, rank_masked, items)
