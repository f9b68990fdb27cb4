"""GRU4Rec: Hidasi & Karatzoglou, Recurrent Neural Networks with Top-k Gains for Session-based
Recommendations, CIKM 2018; the settings follow Hidasi & Czapp, The Effect of Third Party
Implementations on Reproducibility, RecSys 2023.

It differs from the authors' code in how it is fed: session-parallel batches, which carry the hidden
state from one batch to the next, are replaced by windows of a history, each from an empty state.
The sampled items are the only negatives (the targets of other sessions aren't), the state is
dropped out between layers and not between steps, and the optimizer is that of all models.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from engine.models.base import OutputLayer, OwnLossModel, TrainingHistories
from engine.models.definition import Definition, ModelSettings
from engine.models.layers.dropout import Dropout


class GRU4RecSettings(ModelSettings):
    dim: int = Field(default=128, ge=1, le=8192)
    """Width of the items' embeddings and of the state."""
    layers: int = Field(default=1, ge=1, le=16)
    """Number of layers."""
    embedding_dropout: float = Field(default=0.5, ge=0, lt=1)
    """Share of the embeddings' features that are dropped in training."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the features of a layer's states that are dropped in training."""
    ranking_loss: Literal["bpr-max", "cross-entropy"] = "bpr-max"
    """How the next item's score is compared with those of sampled items."""
    samples: int = Field(default=2048, ge=1, le=1_000_000)
    """Number of sampled items, shared by a batch."""
    sample_alpha: float = Field(default=0.5, ge=0, le=1)
    """Items are sampled by their popularity to this power: 0 is uniformly."""
    score_penalty: float = Field(default=1.0, ge=0)
    """BPR-max's penalty on the scores of negatives (``bpreg``)."""
    elu: float = Field(default=0.5, ge=0)
    """BPR-max's scores below 0 are at least −``elu``; 0: scores are as they are."""
    correction: float = Field(default=1.0, ge=0)
    """Share of the sampling probability's logarithm that cross-entropy subtracts (``logq``)."""


class GRU4Rec(OwnLossModel):
    """Gated recurrent units over the items of a history, which share their embeddings with the
    output layer ("constrained embedding").

    The state before the first item is 0, and a history's first item isn't a target.
    """

    def __init__(self, settings: GRU4RecSettings, num_items: int, length: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.length = length
        self.settings = settings
        dim = settings.dim
        self.items = nn.Embedding(num_items + 1, dim)
        self.bias = nn.Parameter(torch.zeros(num_items + 1))
        self.layers = nn.ModuleList(
            nn.GRU(dim, dim, batch_first=True) for _ in range(settings.layers)
        )
        self.embedding_dropout = Dropout(settings.embedding_dropout)
        self.dropout = Dropout(settings.dropout)
        self.log_weights: Tensor
        """float32 (V + 1,): the logarithm of an item's weight in sampling."""
        self.register_buffer("log_weights", torch.zeros(num_items + 1))
        self.cumulative: Tensor
        """float64 (V,): the probability of drawing one of the items up to each."""
        self.register_buffer("cumulative", _cumulative(torch.ones(num_items)))
        self._initialise()

    def _initialise(self) -> None:
        """Initialise by Glorot & Bengio 2010, each gate by itself."""
        nn.init.xavier_uniform_(self.items.weight)
        for name, parameter in self.layers.named_parameters():
            if "weight" in name:
                for gate in parameter.chunk(3):
                    nn.init.xavier_uniform_(gate)
            else:
                nn.init.zeros_(parameter)

    def prepare(self, train: TrainingHistories) -> None:
        """Count the items, by whose popularity negatives are sampled."""
        count = train.items.long().bincount(minlength=self.num_items + 1).double()
        alpha = self.settings.sample_alpha
        self.log_weights.copy_(alpha * count.clamp(min=1).log())
        self.cumulative.copy_(_cumulative(count[1:] ** alpha))

    def hidden(self, items: Tensor, *, last_only: bool = False) -> Tensor:
        """Return the states (B, W, d) after each of int64 items (B, W), right-aligned.

        They are 0 at padding.

        Args:
            last_only: return only the last position, (B, 1, d).
        """
        width = items.shape[1]
        padding = (items == 0).sum(dim=1, keepdim=True)
        place = torch.arange(width, device=items.device)
        # Rows begin at their first item, so that the state before it is 0: padding goes last.
        begun = items.gather(1, (place + padding) % width)
        x: Tensor = self.embedding_dropout(self.items(begun))
        for layer in self.layers:
            x = self.dropout(layer(x)[0])
        wanted = place[-1:] if last_only else place
        back = ((wanted - padding) % width)[..., None].expand(-1, -1, x.shape[-1])
        return x.gather(1, back) * (items[:, wanted] > 0)[..., None]

    def output_layer(self) -> OutputLayer:
        """Return the output layer, with the current weights."""
        return OutputLayer(self.items.weight, self.bias)

    def scores(self, items: Tensor, times: Tensor | None = None) -> Tensor:  # noqa: ARG002
        states = self.hidden(items, last_only=True)[:, -1].float()
        with torch.autocast(items.device.type, enabled=False):
            return self.output_layer().logits(states)

    def loss(self, items: Tensor) -> tuple[Tensor, Tensor]:
        inputs, targets = items[:, :-1], torch.where(items[:, :-1] > 0, items[:, 1:], 0)
        states, targets = self.hidden(inputs).flatten(0, 1), targets.flatten()
        if items.device.type == "cpu":  # elsewhere, selecting would wait for the device
            chosen = targets.nonzero().squeeze(1)
            states, targets = states[chosen], targets[chosen]
        drawn = torch.rand(self.settings.samples, dtype=torch.float64, device=items.device)
        negatives = 1 + torch.searchsorted(self.cumulative, drawn, right=True)
        losses = self.losses(states, targets, negatives.clamp(max=self.num_items))
        real = targets > 0
        return (losses * real).sum(), real.sum()

    def losses(self, states: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        """Return the loss (N,), in nats, of each of int64 targets (N,), given states (N, d).

        Args:
            negatives: int64 (k,); one equal to a row's target is left out of that row.
        """
        count, both = len(targets), torch.cat([targets, negatives])
        # A single look-up, because the gradient of each is as large as all weights.
        weight, offset = F.embedding(both, self.items.weight), self.bias[both]
        itself = targets[:, None] == negatives
        if self.settings.ranking_loss == "cross-entropy":
            offset = offset - self.settings.correction * self.log_weights[both]
        # Sums with the offset have its type, float32, where autocast's products are bfloat16.
        positive = (states * weight[:count]).sum(dim=1, keepdim=True) + offset[:count, None]
        negative = states @ weight[count:].T.to(states.dtype) + offset[count:]
        if self.settings.ranking_loss == "bpr-max":
            return self._bpr_max(positive, negative, itself)
        negative = negative.masked_fill(itself, -math.inf)
        return torch.cat([positive, negative], dim=1).logsumexp(dim=1) - positive[:, 0]

    def _bpr_max(self, positive: Tensor, negative: Tensor, itself: Tensor) -> Tensor:
        """BPR-max (Hidasi & Karatzoglou 2018, eq. 10) of scores (N, 1) and (N, k)."""
        if self.settings.elu:
            positive, negative = (F.elu(x, self.settings.elu) for x in (positive, negative))
        share = negative.masked_fill(itself, -math.inf).softmax(dim=1)
        better = (share * torch.sigmoid(positive - negative)).sum(dim=1)
        penalty = (share * negative.square()).sum(dim=1)
        return -(better + 1e-24).log() + self.settings.score_penalty * penalty


def _cumulative(weights: Tensor) -> Tensor:
    """Return the cumulative probabilities, float64 (V,), of items with ``weights``, (V,)."""
    sums = weights.double().cumsum(0)
    return sums / sums[-1]


MODEL = Definition(
    title="GRU4Rec",
    paper="Hidasi & Karatzoglou, Recurrent Neural Networks with Top-k Gains, CIKM 2018",
    settings=GRU4RecSettings,
    module=GRU4Rec,
    profiles={
        # Loss, sampling and dropout within the ranges that the replication's searches chose.
        "reference": {
            "architecture": {
                "ranking_loss": "bpr-max",
                "embedding_dropout": 0.5,
                "sample_alpha": 0.3,
                "score_penalty": 0.9,
                "elu": 1.0,
            },
            "training": {"lr": 0.001, "batch_size": 128, "epochs": 300, "patience": 20},
            "sizes": {
                "small": {"architecture": {"dim": 64, "samples": 512}},
                "medium": {"architecture": {"dim": 128}},
                "large": {"architecture": {"dim": 512}},
            },
        },
        # Chosen on validation at seed 1: docs/training.md says how.
        "tuned": {
            "chosen": "by hand",
            "architecture": {
                "ranking_loss": "cross-entropy",
                "embedding_dropout": 0.2,
                "sample_alpha": 0.3,
                "score_penalty": 0.9,
                "elu": 1.0,
            },
            "training": {
                "lr": 0.005,
                "batch_size": 128,
                "ema": 0.999,
                "epochs": 150,
                "patience": 15,
            },
            "sizes": {
                "small": {
                    "architecture": {"ranking_loss": "bpr-max", "dim": 64, "samples": 512},
                    "training": {"lr": 0.001, "batch_size": 64, "ema": 0.0, "patience": 30},
                },
                "medium": {"architecture": {"dim": 128}},
                "large": {"architecture": {"dim": 512}},
            },
        },
    },
)
