"""A model's architecture, and how it is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.spec.strict import Strict


class Transformer(Strict):
    """The architecture of SASRec and BERT4Rec."""

    dim: int = Field(ge=1, le=8192)
    layers: int = Field(ge=1, le=128)
    heads: int = Field(ge=1, le=128)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    norm: Literal["pre", "post"] = "post"
    final_norm: bool = False
    """A LayerNorm after the last layer, as pre-norm Transformers have."""
    positions: Literal["learned", "rope", "alibi"] = "learned"
    """Learned embeddings, rotary positions (Su et al. 2021) or linear biases (Press et al.
    2022)."""
    tied: bool = False
    """Whether the output layer uses the item embeddings as its weights."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Transformer:
        if self.dim % self.heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of heads ({self.heads})")
        if self.positions == "rope" and self.dim // self.heads % 2:
            raise ValueError(
                f"with positions: rope, dim / heads ({self.dim // self.heads}) must be even"
            )
        return self


class SASRec(Transformer):
    model: Literal["sasrec"] = "sasrec"


class BERT4Rec(Transformer):
    model: Literal["bert4rec"] = "bert4rec"


class XLSTM(Strict):
    """The architecture of xLSTM-Large (Beck et al. 2025), with its soft caps and eps as
    defaults."""

    model: Literal["xlstm"] = "xlstm"
    dim: int = Field(ge=2, le=8192)
    layers: int = Field(ge=1, le=128)
    heads: int = Field(ge=1, le=128)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    gate_soft_cap: float = Field(default=15.0, gt=0)
    logit_soft_cap: float | None = Field(default=30.0, gt=0)
    """``null``: none."""
    norm_eps: float = Field(default=1e-6, gt=0)
    input_gate_bias: float = -3.0
    """Initial bias of the input gates. xLSTM 7B has -10, which keeps the gradients of its long
    contexts small; histories of a hundred items are learned better with gates less closed."""
    tied: bool = False
    """Whether the output layer uses the item embeddings as its weights."""

    @model_validator(mode="after")
    def _heads_divide(self) -> XLSTM:
        if self.dim % (2 * self.heads):
            raise ValueError(f"dim ({self.dim}) must be a multiple of 2 × heads ({self.heads})")
        return self


Architecture = Annotated[SASRec | BERT4Rec | XLSTM, Field(discriminator="model")]
ARCHITECTURES: dict[str, type[SASRec | BERT4Rec | XLSTM]] = {
    "sasrec": SASRec,
    "bert4rec": BERT4Rec,
    "xlstm": XLSTM,
}


class Training(Strict):
    """The training settings, which all models have in common."""

    objective: Literal["next-item", "masked", "prefix", "own", "fitted"] = "next-item"
    """Predict every position's next item, or masked items (BERT4Rec); or, for either kind of model
    and at many times the cost, one sample per prefix with the loss at its last position. ``own``: a
    model computes its loss itself; ``fitted``: it is fitted to counts, without any training."""
    epochs: int = Field(default=200, ge=1, le=100_000)
    patience: int = Field(default=10, ge=1, le=100_000)
    """Epochs without a better validation NDCG@10 before training stops."""
    batch_size: int = Field(default=128, ge=1, le=1_000_000)
    """Windows of ``length`` positions in an update; with ``objective: prefix``, prefixes."""
    window_overlap: float = Field(default=0.0, ge=0, lt=1)
    """Share of a window's positions that overlap the window before: context without a target,
    except with ``objective: masked``, which may mask any item of a window."""
    lr: float = Field(default=0.001, gt=0, le=10)
    warmup_steps: int = Field(default=0, ge=0)
    """Updates over which the learning rate rises linearly from 0 to ``lr``."""
    lr_decay: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate decays from ``lr`` to 0 over ``epochs``."""
    weight_decay: float = Field(default=0.0, ge=0, le=10)
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
