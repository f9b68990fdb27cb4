"""Recommendations of a trained model to one user, after the history before the test item."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.datasets.splitting.splits import SplitData, last_items, last_times
from engine.errors import DataError
from engine.models.base import Model, TimedModel
from engine.models.definition import Definition
from engine.spec import RunSpec
from engine.training.ranking.scoring import scores


@dataclass(frozen=True)
class Prediction:
    """A user's recommendations and the held-out next item, as item numbers."""

    history: list[int]
    """The most recent items before the true one, oldest first, as many as the model sees."""
    true: int | None
    """The test item, the last one if there are several; ``None`` if the split doesn't test this
    user, whose history is then complete."""
    rank: int | None
    """Rank of the true item among all items, from 1; a tie counts against it."""
    rank_masked: int | None
    """The same with the user's seen items masked."""
    top: list[tuple[int, float, bool]]
    """The best items, each with its score and whether it is in the user's history."""


def trained_model(
    spec: RunSpec,
    definition: Definition,
    weights: Path,
    num_items: int,
    chosen: Mapping[str, Any] | None = None,
) -> Model:
    """Load the model of a run with the weights of its best epoch, on the CPU, in evaluation mode.

    Args:
        definition: of the run's model.
        chosen: `EpochRecord.settings` of the best epoch.

    Raises:
        DataError: the weights are absent, damaged, or of other data.
    """
    settings = {**spec.architecture.settings, **(chosen or {})}
    model = definition.build(settings, num_items, spec.length)
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        model.load_state_dict(state)
    except FileNotFoundError as error:
        if spec.trial is not None:
            name = spec.trial.study.name
            raise DataError(
                f"A trial keeps no weights: take a run of what {name} chose."
            ) from error
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
    model: Model, split: SplitData, user: int, top: int, *, mask_seen: bool = False
) -> Prediction:
    """Rank all items for a user after the history before the test item, of several the last.

    Args:
        user: the user's number, from 0.
        top: number of items to recommend.
        mask_seen: recommend no item of the history.
    """
    own = split.interactions
    start, end = int(own.offsets[user]), int(own.offsets[user + 1])
    place = int(np.searchsorted(split.test.users, user, "right")) - 1  # the user's last target
    tested = place >= 0 and split.test.users[place] == user
    at = int(split.test.ends[place]) if tested else end
    true = int(own.items[at]) if tested else None

    seen = torch.from_numpy(np.unique(own.items[start:at]).astype(np.int64))
    row = np.array([user]), np.array([at]), model.length
    padded = last_items(own, *row)
    times = last_times(own, *row) if isinstance(model, TimedModel) else None
    logits = scores(
        model,
        torch.from_numpy(padded).long(),
        None if times is None else torch.from_numpy(times),
    )[0]
    logits[0] = -torch.inf

    is_seen = torch.zeros(len(logits), dtype=torch.bool)
    is_seen[seen] = True
    rank = rank_masked = None
    if true is not None:
        above = ~(logits[1:] < logits[true])
        rank = int(above.sum())
        others = is_seen.clone()
        others[true] = False
        rank_masked = rank - int(above[others[1:]].sum())
    ranked = logits.masked_fill(is_seen, -torch.inf) if mask_seen else logits
    best = torch.topk(ranked, min(top, len(logits) - 1))
    items = [
        (item, score, bool(is_seen[item]))
        for item, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        if score != float("-inf")
    ]
    return Prediction(padded[padded > 0].tolist(), true, rank, rank_masked, items)
