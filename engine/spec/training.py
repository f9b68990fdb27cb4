"""How a model is trained."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from engine.modelinfo import Kind
from engine.spec.strict import Strict

_OBJECTIVES: dict[Kind, tuple[str, ...]] = {
    "next-item": ("next-item", "prefix"),
    "masked": ("masked", "prefix"),
    "own": ("own",),
    "fitted": ("fitted",),
}
"""By kind of model: the objectives that it is trained with, its own first."""


def objective_problem(model: str, kind: Kind, objective: str) -> str:
    """Say why a model of this kind isn't trained with an objective; empty if it is."""
    own, *others = _OBJECTIVES[kind]
    if objective in (own, *others):
        return ""
    return f"{model} is trained with objective: {own}{''.join(f' (or {each})' for each in others)}"


class Training(Strict):
    """The training settings, which all models have in common. Columns and docs explain them by
    their docstrings here."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    objective: Literal["next-item", "masked", "prefix", "own", "fitted"] = "next-item"
    """Predict every position's next item, or masked items; or, for either kind of model and at many
    times the cost, one sample per prefix with the loss at its last position. The others follow from
    the model: its own loss, or none, as it is fitted."""
    epochs: int = Field(default=200, ge=1, le=100_000)
    """The epoch limit."""
    patience: int = Field(default=10, ge=1, le=100_000)
    """Epochs without a better validation NDCG@10 before training stops."""
    batch_size: int = Field(default=128, ge=1, le=1_000_000)
    """Windows of ``length`` positions in an update; with ``objective: prefix``, prefixes."""
    window_overlap: float = Field(default=0.0, ge=0, lt=1)
    """Share of a window's positions that overlap the window before: context without a target,
    except with ``objective: masked``, which may mask any item of a window."""
    lr: float = Field(default=0.001, gt=0, le=10)
    """The learning rate, before any warm-up or decay."""
    warmup_steps: int = Field(default=0, ge=0)
    """Updates over which the learning rate rises linearly from 0 to ``lr``."""
    lr_decay: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate decays from ``lr`` to 0 over ``epochs``."""
    weight_decay: float = Field(default=0.0, ge=0, le=10)
    """AdamW's weight decay."""
    grad_clip: float = Field(default=5.0, gt=0)
    """Largest global gradient norm. The norm before clipping is recorded."""
    mask_ratio: float = Field(default=0.2, gt=0, lt=1)
    """Share of a window's items that ``objective: masked`` masks."""
    last_mask_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the windows of which only the last item is masked, as in evaluation."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of a target's probability to spread over all items (Szegedy et al. 2016)."""
    ema: float = Field(default=0.0, ge=0, lt=1)
    """Decay per update of the exponential moving average of the weights, which is then evaluated
    and saved; 0: no average."""
    loss: Literal["full", "sampled", "gbce"] = "full"
    """Softmax over all items, or over the target and ``negatives`` sampled items; or gBCE over the
    latter (Petrov & Macdonald 2023)."""
    negatives: int = Field(default=256, ge=1, le=1_000_000)
    """Number of items that ``loss: sampled`` and ``gbce`` draw uniformly."""
    gbce_calibration: float = Field(default=0.75, ge=0, le=1)
    """gBCE's t: 0 is plain binary cross-entropy, 1 fully corrects for the sampling."""
    eval_batch_size: int = Field(default=512, ge=1, le=1_000_000)
    """Users in a batch of evaluation."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """The number format asked for."""
    refit: bool = False
    """Train on validation, too, for as many epochs as validation chose in the run with the same
    settings that doesn't; a fitted model with the settings that it chose."""

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave ``refit`` out of runs that aren't, which have been stored without it."""
        content: dict[str, Any] = handler(self)
        if not self.refit:
            content.pop("refit", None)
        return content

    @property
    def depends_on_limit(self) -> bool:
        """Whether what is learnt in an epoch depends on ``epochs``."""
        return self.lr_decay != "constant"

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> Training:
        if self.label_smoothing and self.loss != "full":
            raise ValueError(
                f"label_smoothing needs loss: full (with loss: {self.loss}, set it to 0)"
            )
        if self.window_overlap and self.objective == "prefix":
            raise ValueError("prefixes overlap by themselves: set window_overlap to 0")
        return self
