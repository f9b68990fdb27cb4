"""Checks of what a model returns, whatever it has learnt: finite, padding, future, rows."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.asking.modelcheck import Verdict
from engine.models.base import FittedModel, MaskedModel, Model, OwnLossModel, SequenceModel
from engine.training.ranking.scoring import scores
from engine.worker.check.subject import Subject

T = TypeVar("T")

TOLERANCE = 1e-3
"""Differences that float32 may make, in standard deviations of what is compared."""


def parameters(subject: Subject) -> Verdict:
    """Count the trainable parameters, for the items and the length that are examined."""
    model = subject.built()
    count = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    where = f"for {subject.num_items:,} items and length {subject.length}"
    if isinstance(model, FittedModel):
        return Verdict("parameters", None, "None is trained: the model is fitted.")
    if not count:
        return Verdict(
            "parameters",
            False,
            "The model has no trainable parameters.",
            "Keep layers as attributes, lists of them in nn.ModuleList, and single weights in "
            "nn.Parameter; a model of counts is a FittedModel.",
        )
    return Verdict(
        "parameters", True, f"{count:,} trainable parameters {where}.", values={"parameters": count}
    )


def finite(subject: Subject) -> Verdict:
    """Look for NaN and infinity in scores, loss and gradients, with rows of padding only."""
    model, items = subject.built(), subject.histories()
    with torch.no_grad():
        if not torch.isfinite(scores(model, items)[:, 1:]).all():
            return _not_finite("The scores of some histories")
    if isinstance(model, FittedModel):
        return Verdict("finite", True, "Scores are finite, also without any history.")
    for dtype in (torch.float32, torch.bfloat16):
        model.train().zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            loss = _loss(model, items)
        if not torch.isfinite(loss):
            return _not_finite(f"The loss in {str(dtype).removeprefix('torch.')}")
        torch.autograd.backward(loss)
        for name, weight in model.named_parameters():
            if weight.grad is not None and not torch.isfinite(weight.grad).all():
                return _not_finite(f"The gradient of {name}")
    idle = [name for name, weight in model.named_parameters() if weight.grad is None]
    unused = f" No gradient reaches {', '.join(idle)}." if idle else ""
    return Verdict(
        "finite",
        True,
        f"Scores, loss and gradients are finite in float32 and bfloat16.{unused}",
    )


def _not_finite(what: str) -> Verdict:
    return Verdict(
        "finite",
        False,
        f"{what} had NaN or infinity in it; some histories there are short, one is empty.",
        "Look for a softmax over a row that is masked throughout, a division by the number of "
        "items, a root or logarithm of 0: give rows of padding some finite value.",
    )


def _loss(model: Model, items: Tensor) -> Tensor:
    """Return the mean loss of histories (B, L), at padding too."""
    if isinstance(model, OwnLossModel):
        loss, targets = model.loss(F.pad(items, (1, 0)))
        return loss / targets
    assert isinstance(model, SequenceModel)
    targets = torch.where(items > 0, items, 1).flatten()
    logits = model.logits(model.hidden(items)).flatten(0, 1).float()
    return F.cross_entropy(logits, targets)


@torch.no_grad()
def padding(subject: Subject) -> Verdict:
    """Compare the scores, and states at items, of histories with more and with less padding."""
    model, items = subject.built().eval(), subject.histories()
    worst = 0.0
    for row in items:
        real = row[row > 0]
        if len(real) in (0, len(row)):
            continue
        short, long = real[None], row[None]
        worst = max(worst, in_deviations(scores(model, short)[:, 1:], scores(model, long)[:, 1:]))
        if (states := _states(model, long)) is not None:
            at_items = states[:, -len(real) :]
            worst = max(worst, in_deviations(_states(model, short), at_items))
    if worst <= TOLERANCE:
        return Verdict("padding", True, "More padding before a history changes nothing.")
    return Verdict(
        "padding",
        False,
        f"Padding before a history moves its scores by {worst:.2g} standard deviations.",
        "Histories end at the right: count positions from the last item, mask padding (0) in "
        "attention, and multiply by (items > 0) after every layer with a bias, in each step of a "
        "recurrence, and after the embedding: scores that share its weights train padding's too.",
        {"moved": worst},
    )


@torch.no_grad()
def future(subject: Subject) -> Verdict:
    """Change an item, and see whether states before it change: in evaluation, and in training with
    the same dropout."""
    model, items = subject.built(), subject.histories()[:3]
    if isinstance(model, MaskedModel):
        why = "A masked model sees both sides; in evaluation it is given the past only."
        return Verdict("future", None, why)
    if _states(model, items) is None:
        why = "The model has no states for each position (hidden); what it learns would show it."
        return Verdict("future", None, why)
    for mode, where in ((model.eval(), ""), (copy.deepcopy(model).train(), " in training")):
        before = _seeded(_states, mode, items)
        for column in range(1, items.shape[1]):
            other = items.clone()
            other[:, column] = torch.where(items[:, column] > 0, 1 + items[:, column] % 37, 0)
            after = _seeded(_states, mode, other)
            assert before is not None
            assert after is not None
            if (moved := in_deviations(before[:, :column], after[:, :column])) > TOLERANCE:
                return Verdict(
                    "future",
                    False,
                    f"Another item at position {column + 1} moves states before it{where}, by "
                    f"{moved:.2g} standard deviations.",
                    "A position may use itself and earlier ones only, or it sees the item that it "
                    "is trained to predict: mask attention above the diagonal, pad convolutions "
                    "on the left only, and normalise within a position.",
                    {"moved": moved},
                )
    return Verdict("future", True, "A later item moves no earlier state.")


@torch.no_grad()
def rows(subject: Subject) -> Verdict:
    """Score a history alone and among others, in training too: there with the same dropout."""
    model, items = subject.built(), subject.histories()
    other = items.clone()
    other[1:] = items[1:].flip(0).roll(1, 1)
    together, alone = scores(model.eval(), items), scores(model, items[:1])
    moved = in_deviations(together[:1, 1:], alone[:, 1:])
    if not isinstance(model, FittedModel):
        training = copy.deepcopy(model).train()  # which changes some buffers
        first, second = (_seeded(scores, training, each) for each in (items, other))
        moved = max(moved, in_deviations(first[:1, 1:], second[:1, 1:]))
    if moved <= TOLERANCE:
        return Verdict("rows", True, "A history's scores don't depend on the others of its batch.")
    return Verdict(
        "rows",
        False,
        f"Other histories in the batch move a history's scores by {moved:.2g} standard deviations.",
        "Normalise within a history: LayerNorm or RMSNorm in place of BatchNorm, and no mean or "
        "softmax over the first dimension.",
        {"moved": moved},
    )


def _seeded(function: Callable[[Model, Tensor], T], model: Model, items: Tensor) -> T:
    """Call a function of a model and histories with the same random numbers each time."""
    torch.manual_seed(5)
    return function(model, items)


def _states(model: Model, items: Tensor) -> Tensor | None:
    """Return the states (B, W, d) of a model that has some at each position, such as one that is
    trained to predict the next item."""
    if isinstance(model, SequenceModel):
        return model.hidden(items)
    hidden = getattr(model, "hidden", None)
    if not isinstance(model, nn.Module) or hidden is None:
        return None
    states = hidden(items)
    same = isinstance(states, Tensor) and states.shape[:2] == items.shape
    return states if same else None


def in_deviations(a: Tensor | None, b: Tensor | None) -> float:
    """Return the largest difference, in standard deviations; infinite where one is NaN."""
    assert a is not None
    assert b is not None
    spread = max(float(b.float().std()), 1e-6) if b.numel() > 1 else 1.0
    found = float((a - b).abs().max()) / spread
    return float("inf") if math.isnan(found) else found
