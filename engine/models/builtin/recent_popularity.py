"""Recent popularity: every history gets the items that occur most often at the end of training.

Ji et al., A Re-visit of the Popularity Baseline in Recommender Systems, SIGIR 2020, on why
popularity is to be counted at the time of the prediction.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from engine.errors import TrainingError
from engine.models import Definition, FittedModel, ModelSettings, TrainingHistories
from engine.models.layers.itemrows import item_counts

MICROSECONDS_A_DAY = 86_400_000_000


class RecentPopularitySettings(ModelSettings):
    """What recent is."""

    days: float | None = Field(default=None, gt=0)
    """Interactions of this many days before the last one of training count."""


class RecentPopularity(FittedModel):
    """Scores an item by its training interactions in the last days, whatever the history.

    Equal ones are in the order of all their training interactions.
    """

    places: Tensor
    """int64 (V + 1,): from 0, the least popular; equal items have equal places."""

    def __init__(self, settings: RecentPopularitySettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.days = settings.days
        self.register_buffer("places", torch.zeros(num_items + 1, dtype=torch.int64))

    def fit(self, train: TrainingHistories) -> None:
        """Count the last days.

        Raises:
            TrainingError: the data have no times.
        """
        assert self.days is not None, "the days are chosen before the model is built"
        if train.times is None:
            raise TrainingError(
                "data",
                "recent-popularity needs the times of interactions, which this data set doesn't "
                "have: use popularity.",
            )
        ages = train.times.max() - train.times if len(train.times) else train.times
        recent = train.items[ages < self.days * MICROSECONDS_A_DAY]
        recently = torch.bincount(recent, minlength=self.num_items + 1)
        order = recently * (len(train.items) + 1) + item_counts(train, self.num_items)
        self.places = torch.unique(order, return_inverse=True)[1].to(self.places.device)

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return self.places.float().expand(len(items), -1)


MODEL = Definition(
    title="Recent popularity",
    settings=RecentPopularitySettings,
    module=RecentPopularity,
    paper="Ji et al., A Re-visit of the Popularity Baseline in Recommender Systems, SIGIR 2020",
    grid={"days": (1, 3, 10, 30, 100, 300)},
    needs_times=True,
)
