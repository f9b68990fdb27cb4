"""The project's terms as validated data: a run's full configuration and its parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PROTOCOL = 1
"""Version of the evaluation protocol (docs/protocol.md). Runs of other versions aren't
comparable."""

TOP_K = 10
"""k of the metrics, and the number of recommended items."""

Size = Literal["small", "medium", "large"]
"""Which of a model's reference sizes a data set takes: as MovieLens 100K, 1M, or 10M and larger."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=40)]


Overrides = dict[str, str | int | float | bool]
"""Settings that replace those of a profile, by name."""


class Strict(BaseModel):
    """A frozen piece of configuration, in which unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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

    objective: Literal["next-item", "masked", "prefix"] = "next-item"
    """Predict every position's next item, or masked items (BERT4Rec); or, for either kind of model
    and at many times the cost, one sample per prefix with the loss at its last position."""
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

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> Training:
        if self.label_smoothing and self.loss != "full":
            raise ValueError(
                f"label_smoothing needs loss: full (with loss: {self.loss}, set it to 0)"
            )
        if self.window_overlap and self.objective == "prefix":
            raise ValueError("prefixes overlap by themselves: set window_overlap to 0")
        return self


class Archive(Strict):
    """The archive that a data set is fetched from."""

    url: str = Field(pattern=r"^https?://")
    mirrors: tuple[Annotated[str, Field(pattern=r"^https?://")], ...] = ()
    """Other addresses of the same archive, tried in order if ``url`` fails."""
    bytes: int = Field(gt=0)
    md5: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    """The archive's MD5; absent if no published one could be confirmed."""


class Columns(Strict):
    """The names of a table's columns. Without ``time``, rows must be in time order."""

    user: str = Field(min_length=1)
    item: str = Field(min_length=1)
    time: str | None = None
    rating: str | None = None
    separator: str = Field(default=",", min_length=1, max_length=1)
    """Of a text table; ignored for Parquet."""


class Filter(Strict):
    """Which interactions of a source to keep. Applied in this order, before items are numbered."""

    min_rating: float | None = None
    """Drop interactions with lower ratings."""
    k_core: int = Field(default=0, ge=0, le=1_000_000)
    """Drop users and items with fewer interactions, repeatedly until none has."""
    k_core_rounds: int | None = Field(default=None, ge=1)
    """Stop after this many rounds. SASRec's and most published "5-core" data sets took one round,
    in which users and items were counted together."""


class SplitRule(Strict):
    """Which interactions are held out for validation and test."""

    kind: Literal["leave-one-out", "temporal"] = "leave-one-out"
    """Hold out each user's last two items, or everything from two times on, equal for all users."""
    valid_share: float = Field(default=0.1, gt=0, lt=1)
    """Of ``temporal``: share of all interactions, by time, between the two times."""
    test_share: float = Field(default=0.1, gt=0, lt=1)
    """Of ``temporal``: share of all interactions, by time, from the second time on."""
    valid_from: int | None = None
    """The first time itself, in the source's unit (mostly seconds since 1970)."""
    test_from: int | None = None
    """The second time itself."""

    @model_validator(mode="after")
    def _in_order(self) -> SplitRule:
        if (self.valid_from is None) != (self.test_from is None):
            raise ValueError("valid_from and test_from belong together: give both, or shares")
        if self.valid_from is not None and self.test_from is not None:
            if self.valid_from >= self.test_from:
                raise ValueError("valid_from must be before test_from")
        elif self.valid_share + self.test_share >= 1:
            raise ValueError("valid_share and test_share leave nothing to train on")
        return self


Reader = Literal[
    "movielens-tab",
    "movielens-colons",
    "movielens-csv",
    "steam-reviews",
    "table",
    "recbole",
    "pairs",
    "lines",
    "synthetic",
]
"""The format of a source's file (docs/datasets.md)."""


class SyntheticSource(Strict):
    """The settings of a Markov source (`engine.datasets.synthetic`)."""

    seed: int = Field(default=0, ge=0)
    order: int = Field(default=2, ge=1, le=8)
    """Number of most recent items that the next one depends on."""
    lag_ratio: float = Field(default=1.0, gt=0, le=10)
    """Weight of each lag relative to the one before it; above 1, older items weigh more."""
    min_length: int = Field(default=20, ge=3)
    max_length: int = Field(default=80, ge=3)
    zipf: float = Field(default=0.8, gt=0, le=4)
    """Exponent of the popularity law."""
    noise: float = Field(default=0.1, ge=0, lt=1)
    """Share of the items that are drawn from the popularity law, independent of the history."""
    successors: int = Field(default=6, ge=1, le=1_000)
    """Number of successors of an item, for each lag."""
    decay: float = Field(default=0.8, gt=0, le=1)
    """Probability of a successor relative to the one before it in the list."""

    @model_validator(mode="after")
    def _lengths_in_order(self) -> SyntheticSource:
        if self.min_length > self.max_length:
            raise ValueError(
                f"min_length ({self.min_length}) must not exceed max_length ({self.max_length})"
            )
        return self


class Dataset(Strict):
    """A data set of the catalogue."""

    name: Name
    title: str
    aliases: tuple[str, ...] = ()
    size: Size
    reader: Reader
    columns: Columns | None = None
    """Of reader ``table``."""
    filter: Filter = Filter()
    split: SplitRule = SplitRule()
    users: int = Field(gt=0)
    """After filtering, as are ``items`` and ``interactions``."""
    items: int = Field(gt=0)
    interactions: int = Field(gt=0)
    folder: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the folder under the data folders, and in the archive."""
    files: dict[str, str | None] = {}
    """Names of the files, the one with the interactions first, each with its MD5 if one is
    published."""
    titles: str | None = None
    """Name of an optional file with the items' titles."""
    local: str | None = Field(default=None, min_length=1)
    """Path of a folder that holds the files."""
    archive: Archive | None = None
    license: str = ""
    synthetic: SyntheticSource | None = None
    optional: bool = False
    """Whether Launch lists it only if it is on this machine or a chosen suite names it."""
    note: str = ""

    @model_validator(mode="after")
    def _has_source(self) -> Dataset:
        if (self.reader == "synthetic") != (self.synthetic is not None):
            raise ValueError("'synthetic' settings belong to reader 'synthetic', and only there")
        if self.reader != "synthetic" and not (self.folder and self.files):
            raise ValueError("'folder' and 'files' are needed to find the data")
        if (self.reader == "table") != (self.columns is not None):
            raise ValueError("'columns' belong to reader 'table', and it needs them")
        for name in map(PurePosixPath, (*self.files, *([self.titles] if self.titles else ()))):
            if name.is_absolute() or ".." in name.parts or not name.name:
                raise ValueError(f"'files' holds {str(name)!r}, which leaves the folder")
        return self


class RunSpec(Strict):
    """The full configuration of a run: all that a worker needs, and that its result depends on."""

    model: Name
    dataset: Name
    length: int = Field(ge=2, le=65_536)
    """L, the number of most recent items that the model sees."""
    seed: int = Field(ge=0, lt=2**31)
    profile: str = "reference"
    variant: str = ""
    """Name of the suite's variant of the profile, if the suite compares several."""
    architecture: Architecture
    training: Training
    source: Dataset
    protocol: int = PROTOCOL

    @model_validator(mode="after")
    def _objective_fits(self) -> RunSpec:
        own = "masked" if self.architecture.model == "bert4rec" else "next-item"
        if self.training.objective not in (own, "prefix"):
            raise ValueError(
                f"{self.architecture.model} is trained with objective: {own} (or prefix)"
            )
        if self.training.loss != "full" and self.training.negatives >= self.source.items:
            raise ValueError(
                f"negatives ({self.training.negatives:,}) must be fewer than the items "
                f"({self.source.items:,})"
            )
        return self

    @property
    def recipe(self) -> str:
        """The profile, with the variant after a slash, for display."""
        return f"{self.profile}/{self.variant}" if self.variant else self.profile

    def fingerprint(self) -> str:
        """Twelve hex digits; equal for two runs that must give the same result."""
        return _digest(identity(self.model_dump(mode="json")) | {"seed": self.seed})[:12]

    def settings(self) -> str:
        """Eight hex digits; equal for two runs that differ in their seed only."""
        return settings_digest(self.model_dump(mode="json"))


_LABELS = frozenset({"model", "dataset", "seed", "profile", "variant"})
"""Fields of a `RunSpec` that name a run and its cell, and change nothing else."""
_SOURCE_LABELS = frozenset(
    {"title", "aliases", "size", "folder", "titles", "local", "archive", "license", "optional"}
    | {"note"}
)


def identity(content: Mapping[str, Any]) -> dict[str, Any]:
    """All that a run's result depends on but its seed: model, training, data and how they are
    split, length, protocol.

    A setting at its default is left out, so that a new one doesn't change what the runs before it
    are known by. A field that this version doesn't know counts.

    Args:
        content: a `RunSpec` as JSON, of this version or another.
    """
    given = content.get("source")
    source = dict(given) if isinstance(given, Mapping) else {}
    synthetic = source.get("synthetic")
    data: dict[str, Any] = {
        **_defaults(Dataset, {"reader", "files"}),
        **{name: value for name, value in source.items() if name not in _SOURCE_LABELS},
        "synthetic": {**_defaults(SyntheticSource), **synthetic}
        if isinstance(synthetic, Mapping)
        else synthetic,
    }
    for setting, kind in (("columns", Columns), ("filter", Filter), ("split", SplitRule)):
        if changed := _changed(data.pop(setting, None), kind):
            data[setting] = changed
    architecture = content.get("architecture")
    model = architecture.get("model") if isinstance(architecture, Mapping) else None
    kind_of_model = ARCHITECTURES.get(model) if isinstance(model, str) else None
    changed = _changed(architecture, kind_of_model)
    return {
        **{name: value for name, value in content.items() if name not in _LABELS},
        "architecture": changed | {"model": model} if isinstance(changed, dict) else changed,
        "training": _changed(content.get("training"), Training),
        "source": data,
        "protocol": content.get("protocol", PROTOCOL),
    }


def settings_digest(content: Mapping[str, Any]) -> str:
    """`RunSpec.settings` of a specification as JSON, whatever version wrote it.

    Of runs that were imported it is the same for all: nothing is known of how they were trained.
    """
    return _digest({"imported": True} if "origin" in content else identity(content))[:8]


def _defaults(kind: type[BaseModel], names: Collection[str] | None = None) -> dict[str, Any]:
    """The defaults of a model's fields, of those that have one."""
    return {
        name: field.default
        for name, field in kind.model_fields.items()
        if not field.is_required() and (names is None or name in names)
    }


def _changed(values: Any, kind: type[BaseModel] | None) -> Any:
    """The values that aren't their field's default; what isn't a mapping stays as it is."""
    if not isinstance(values, Mapping):
        return values
    defaults = _defaults(kind) if kind else {}
    return {
        name: value
        for name, value in values.items()
        if name not in defaults or value != defaults[name]
    }


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def amended(spec: RunSpec, settings: Mapping[str, Any]) -> RunSpec:
    """Replace some settings of a run's architecture or training, by name.

    Raises:
        ValueError: a setting is unknown, or its value invalid.
    """
    content = spec.model_dump()
    for name, value in settings.items():
        section = "training" if name in Training.model_fields else "architecture"
        content[section][name] = value
    return RunSpec.model_validate(content)


CellKey = tuple[str, str, int]
"""Model, data set, length."""


class Suite(Strict):
    """A named set of cells and seeds."""

    name: Name
    title: str
    models: tuple[str, ...] = Field(min_length=1)
    datasets: tuple[str, ...] = Field(min_length=1)
    lengths: tuple[int, ...] = Field(min_length=1)
    cells: tuple[CellKey, ...] = ()
    """The cells, if not all combinations of models, data sets and lengths."""
    seeds: tuple[int, ...] = Field(min_length=1)
    profile: str = "reference"
    overrides: Overrides = {}
    variants: dict[Name, Overrides] = {}
    """Overrides by name of a variant; every cell is run once for each variant."""
    note: str = ""
