"""The words of the project as validated data: one run's full configuration, and its parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PROTOCOL = 1
"""Version of what is measured (docs/protocol.md). Runs of different versions aren't comparable."""

TOP_K = 10

Size = Literal["small", "medium", "large"]
"""Which of a model's reference sizes a data set takes: 100K, 1M, or 10M and larger."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=40)]


Overrides = dict[str, str | int | float | bool]
"""Settings that take the place of a profile's, by name."""


class Strict(BaseModel):
    """Configuration is frozen, and a key that isn't known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Transformer(Strict):
    """Sizes of SASRec and BERT4Rec."""

    dim: int = Field(ge=1, le=8192)
    layers: int = Field(ge=1, le=128)
    heads: int = Field(ge=1, le=128)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    norm: Literal["pre", "post"] = "post"
    final_norm: bool = False
    """A LayerNorm after the last layer, as pre-norm Transformers have."""
    positions: Literal["learned", "rope", "alibi"] = "learned"
    """A table of embeddings; rotations of queries and keys (Su et al. 2021); or a penalty on
    attention that grows with the distance (Press et al. 2022)."""
    tied: bool = False
    """Whether the item embeddings are the output layer's weights too."""

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
    """Sizes of xLSTM-Large (Beck et al. 2025), whose soft caps and eps these defaults are."""

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
    """Of the input gates at first. xLSTM 7B begins at -10, which keeps the gradients of its long
    contexts small; histories of a hundred items learn better with gates that are less shut."""
    tied: bool = False
    """Whether the item embeddings are the output layer's weights too."""

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
    """How a model is trained; the same for all models but for ``objective``."""

    objective: Literal["next-item", "masked", "prefix"] = "next-item"
    """Every position's next item; masked items (BERT4Rec); or, for either kind of model and at many
    times the work, one sample a prefix with its loss at the last position."""
    epochs: int = Field(default=200, ge=1, le=100_000)
    patience: int = Field(default=10, ge=1, le=100_000)
    """Epochs without a better validation NDCG@10 before training stops."""
    batch_size: int = Field(default=128, ge=1, le=1_000_000)
    """Windows of ``length`` positions in one update; prefixes, with ``objective: prefix``."""
    window_overlap: float = Field(default=0.0, ge=0, lt=1)
    """Share of a window's positions that repeat the window before: context without a target, but
    for ``objective: masked``, which may hide any item of a window."""
    lr: float = Field(default=0.001, gt=0, le=10)
    warmup_steps: int = Field(default=0, ge=0)
    """Updates over which the learning rate rises from 0 to ``lr``."""
    lr_decay: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate falls from ``lr`` to 0 over ``epochs``."""
    weight_decay: float = Field(default=0.0, ge=0, le=10)
    grad_clip: float = Field(default=5.0, gt=0)
    """Largest global gradient norm; the norm before clipping is recorded."""
    mask_ratio: float = Field(default=0.2, gt=0, lt=1)
    """Share of a window's items that ``objective: masked`` hides."""
    last_mask_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the windows of which it hides the last item only, as evaluation does."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of a target's probability that is spread over all items (Szegedy et al. 2016)."""
    ema: float = Field(default=0.0, ge=0, lt=1)
    """Decay, an update, of the averaged weights that are evaluated and kept; 0: no average."""
    loss: Literal["full", "sampled", "gbce"] = "full"
    """Softmax over all items; over the target and ``negatives`` sampled ones; or gBCE over them
    (Petrov & Macdonald 2023)."""
    negatives: int = Field(default=256, ge=1, le=1_000_000)
    """Items that ``loss: sampled`` and ``gbce`` draw uniformly."""
    gbce_calibration: float = Field(default=0.75, ge=0, le=1)
    """gBCE's t: 0 is plain binary cross-entropy, 1 undoes the sampling's overconfidence."""
    eval_batch_size: int = Field(default=512, ge=1, le=1_000_000)
    """Users ranked at once in evaluation."""
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
    """Where a data set is fetched from."""

    url: str = Field(pattern=r"^https?://")
    mirrors: tuple[Annotated[str, Field(pattern=r"^https?://")], ...] = ()
    """Other addresses of the same bytes, tried in turn where ``url`` fails."""
    bytes: int = Field(gt=0)
    md5: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    """Of the archive; absent where no published value could be confirmed."""


class Columns(Strict):
    """Which columns of a table are what. Without a time, rows stand in time order."""

    user: str = Field(min_length=1)
    item: str = Field(min_length=1)
    time: str | None = None
    rating: str | None = None
    separator: str = Field(default=",", min_length=1, max_length=1)
    """Of a text table; Parquet has none."""


class Filter(Strict):
    """Which interactions of a source count. Applied in this order, before items are numbered."""

    min_rating: float | None = None
    """Lower ratings are dropped."""
    k_core: int = Field(default=0, ge=0, le=1_000_000)
    """Users and items with fewer interactions are dropped, again and again until none is left."""
    k_core_rounds: int | None = Field(default=None, ge=1)
    """Stop dropping after so many rounds. SASRec's and most published "5-core" sets made one: users
    and items were counted once, together."""


class SplitRule(Strict):
    """Which interactions are held out for validation and test."""

    kind: Literal["leave-one-out", "temporal"] = "leave-one-out"
    """Each user's last two items; or everything from two moments on, the same for all users."""
    valid_share: float = Field(default=0.1, gt=0, lt=1)
    """Of ``temporal``: share of all interactions, by time, between the two moments."""
    test_share: float = Field(default=0.1, gt=0, lt=1)
    """Of ``temporal``: share of all interactions, by time, from the second moment on."""
    valid_from: int | None = None
    """The first moment itself, in the source's unit (mostly seconds since 1970)."""
    test_from: int | None = None
    """The second moment itself."""

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
"""What a source's file looks like (docs/datasets.md)."""


class SyntheticSource(Strict):
    """A seeded mixture-transition Markov source (`engine.datasets.synthetic`)."""

    seed: int = Field(default=0, ge=0)
    order: int = Field(default=2, ge=1, le=8)
    """How many of the last items the next one depends on."""
    lag_ratio: float = Field(default=1.0, gt=0, le=10)
    """Weight of each lag relative to the one before it; above 1, the older item tells more."""
    min_length: int = Field(default=20, ge=3)
    max_length: int = Field(default=80, ge=3)
    zipf: float = Field(default=0.8, gt=0, le=4)
    """Exponent of the popularity law."""
    noise: float = Field(default=0.1, ge=0, lt=1)
    """Share of the items that are drawn from the popularity law, whatever came before."""
    successors: int = Field(default=6, ge=1, le=1_000)
    """How many items tend to follow a given one, for each lag."""
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
    """An entry of the catalogue."""

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
    """These three: of what the filter leaves."""
    items: int = Field(gt=0)
    interactions: int = Field(gt=0)
    folder: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the folder under the data folders, and in the archive."""
    files: dict[str, str | None] = {}
    """Names of the files to read, with their md5 where one is published."""
    titles: str | None = None
    """Name of a file with the items' titles, which need not be there."""
    local: str | None = Field(default=None, min_length=1)
    """A folder that holds the files, wherever it is."""
    archive: Archive | None = None
    license: str = ""
    synthetic: SyntheticSource | None = None
    optional: bool = False
    """Listed on the Launch screen only where it is on the machine or a chosen suite names it."""
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
    """One run: everything a worker needs, and everything that makes its result comparable."""

    model: Name
    dataset: Name
    length: int = Field(ge=2, le=65_536)
    """Most recent items that the model sees."""
    seed: int = Field(ge=0, lt=2**31)
    profile: str = "reference"
    variant: str = ""
    """What a suite calls this run's departure from the profile, where it compares several."""
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
        """The profile, and after a slash the variant of it, as it is listed."""
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
    """The same run but for some settings of its architecture or training, by name.

    Raises:
        ValueError: a setting that isn't one, or a value that is impossible.
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
    """Only these of the combinations of models, data sets and lengths; none named: all of them."""
    seeds: tuple[int, ...] = Field(min_length=1)
    profile: str = "reference"
    overrides: Overrides = {}
    variants: dict[Name, Overrides] = {}
    """Every cell is run once for each of these departures from the rest; an empty one is none."""
    note: str = ""
