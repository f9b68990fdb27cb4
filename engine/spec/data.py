"""A data set's entry in the catalogue: where it comes from, how it is read, filtered and split."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from engine.spec.moments import microseconds, moment, per_second
from engine.spec.strict import Name, Strict

Size = Literal["small", "medium", "large"]
"""Which of a model's reference sizes a data set takes: as MovieLens 100K, 1M, or 10M and larger."""


class Archive(Strict):
    """The archive that a data set is fetched from."""

    url: str = Field(pattern=r"^https?://")
    mirrors: tuple[Annotated[str, Field(pattern=r"^https?://")], ...] = ()
    """Other addresses of the same archive, tried in order if ``url`` fails."""
    bytes: int = Field(gt=0)
    md5: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    """The archive's MD5; absent if no published one could be confirmed."""


Packing = Literal["none", "gzip", "zstd", "bzip2", "xz", "zip"]
"""How a source's file is packed."""


class Columns(Strict):
    """The names of a table's columns, or of the keys of its JSON objects; without a header their
    positions, from 1. Without ``time``, rows must be in time order."""

    user: str = Field(min_length=1)
    item: str = Field(min_length=1)
    time: str | None = None
    rating: str | None = None
    separator: str = Field(default=",", pattern=r"^[^\"\n\r\x00\x1f]{1,8}$")
    """Of a text table; ignored for Parquet and JSON."""
    header: bool = True
    """Whether the first row of a text table names its columns."""


class Filter(Strict):
    """Which interactions of a source to keep. Applied in this order, before items are numbered."""

    min_rating: float | None = None
    """Drop interactions with lower ratings."""
    repeats: Literal["keep", "first", "last", "consecutive", "same-time"] = "keep"
    """What is left of a user's interactions with one item: all; the first or the last of them; the
    first of those that follow one another directly; or the first of those at one time."""
    k_core: int = Field(default=0, ge=0, le=1_000_000)
    """Drop users and items with fewer interactions, repeatedly until none has."""
    k_core_rounds: int | None = Field(default=None, ge=1)
    """Stop after this many rounds. SASRec's and most published "5-core" data sets took one round,
    in which users and items were counted together."""


Moment = Annotated[int | float, BeforeValidator(moment)]
"""A moment in time: dates become seconds since 1970, numbers stay as they are."""


Targets = Literal["successive", "last", "random", "first"]
"""Which of a user's interactions in a period are ranked."""


SplitKind = Literal["leave-one-out", "temporal", "given"]


class SplitRule(Strict):
    """Which interactions are held out for validation and test, and which of them are ranked."""

    kind: SplitKind = "leave-one-out"
    """Hold out each user's last two items; or everything from two times on, equal for all users;
    or what is in files of its own."""
    valid_share: float = Field(default=0.1, gt=0, lt=1)
    """Of ``temporal``: share of all interactions, by time, between the two times."""
    test_share: float = Field(default=0.1, gt=0, lt=1)
    """Of ``temporal``: share of all interactions, by time, from the second time on."""
    valid_from: Moment | None = None
    """The first time itself: a date, or a number as the source has them or as clocks count (mostly
    seconds since 1970)."""
    test_from: Moment | None = None
    """The second time itself."""
    quantile: float | None = Field(default=None, gt=0, lt=1)
    """Of ``temporal``: test is what comes after this quantile of all times, validation what comes
    after the same quantile of the times up to there."""
    targets: Targets = "successive"
    """Of ``temporal`` and ``given``: rank every interaction that a user has in the period, each
    given all before it; or only the last of them, one at random, or the first."""

    @property
    def ranked(self) -> str:
        """Say which of a user's interactions in a period are ranked; empty if all are."""
        return "" if self.targets == "successive" else f"each user's {self.targets} one is ranked"

    @model_validator(mode="after")
    def _of_its_kind(self) -> SplitRule:
        if self.kind == "leave-one-out" and self.targets != "successive":
            raise ValueError("leave-one-out has one target a user: leave out targets")
        if self.quantile is not None and self.kind != "temporal":
            raise ValueError("quantile belongs to kind: temporal")
        if self.quantile is not None and self.valid_from is not None:
            raise ValueError("give a quantile or moments, not both")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> SplitRule:
        if (self.valid_from is None) != (self.test_from is None):
            raise ValueError("valid_from and test_from go together: give both, or shares")
        if self.valid_from is not None and self.test_from is not None:
            given = (self.valid_from, self.test_from)
            first, second = (microseconds(each, per_second(each)) for each in given)
            # Two numbers may have different units, or one that their sizes don't tell.
            if first >= second and self.valid_from >= self.test_from:
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
    "json-lines",
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


GIVEN_FILES = 3
"""Files of a split that is given."""


class Dataset(Strict):
    """A data set of the catalogue."""

    name: Name
    title: str
    aliases: tuple[str, ...] = ()
    size: Size
    reader: Reader
    columns: Columns | None = None
    """Of readers ``table`` and ``json-lines``, and of ``recbole`` where its fields have other names
    than in RecBole's own data sets."""
    encoding: str | None = None
    """Of the source's text; absent if a byte order mark tells, or it is UTF-8."""
    packing: Packing | None = None
    """How the source's file is packed; absent if its first bytes tell."""
    filter: Filter = Filter()
    split: SplitRule = SplitRule()
    users: int = Field(gt=0)
    """After filtering, as are ``items`` and ``interactions``."""
    items: int = Field(gt=0)
    interactions: int = Field(gt=0)
    unconfirmed: tuple[Literal["users", "items", "interactions", "checksum"], ...] = ()
    """Counts that neither the publisher nor a copy has confirmed; ``checksum`` if none is
    published."""
    folder: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the folder under the data folders, and in the archive."""
    files: dict[str, str | None] = Field(default={})
    """Names of the files, the one with the interactions first, each with its MD5 if one is
    published. Of a split that is given: training, validation, test, and then others."""
    interactions_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """`engine.datasets.splitting.splits.data_checksum` of the data when its entry was made; tells a
    file that is only written otherwise from one that holds something else."""
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

    @property
    def holds(self) -> str:
        """Its counts in words, those that aren't confirmed with a question mark."""
        names = ("users", "items", "interactions")
        counts = ((name, getattr(self, name)) for name in names)
        return ", ".join(
            f"{count:,}{'?' if name in self.unconfirmed else ''} {name}" for name, count in counts
        )

    @property
    def untimed(self) -> bool:
        """Whether its entry says that interactions have no times, only an order."""
        if self.columns is not None:
            return self.columns.time is None
        return self.reader in ("synthetic", "pairs", "lines")

    @property
    def doubt(self) -> str:
        """Name the values of the entry that aren't confirmed, in a sentence; empty if all are."""
        what = (each if each == "checksum" else f"number of {each}" for each in self.unconfirmed)
        told = ", ".join(what)
        return f"Not confirmed by the publisher or a copy: {told}." if told else ""

    @model_validator(mode="after")
    def _has_source(self) -> Dataset:
        if (self.reader == "synthetic") != (self.synthetic is not None):
            raise ValueError("'synthetic' settings belong to reader 'synthetic', and only there")
        if self.reader != "synthetic" and not (self.folder and self.files):
            raise ValueError("'folder' and 'files' are needed to find the data")
        if self.split.kind == "given" and len(self.files) < GIVEN_FILES:
            raise ValueError("a given split needs three 'files': for training, validation and test")
        named = self.reader in ("table", "json-lines")
        if named != (self.columns is not None) and (named or self.reader != "recbole"):
            raise ValueError(
                "'columns' belong to readers 'table' and 'json-lines', which need them"
            )
        if self.encoding is not None and not is_text_encoding(self.encoding):
            raise ValueError(f"there is no encoding {self.encoding!r}")
        for name in map(PurePosixPath, (*self.files, *([self.titles] if self.titles else ()))):
            if name.is_absolute() or ".." in name.parts or not name.name:
                raise ValueError(f"'files' holds {str(name)!r}, which is outside of the folder")
        return self


def is_text_encoding(name: str) -> bool:
    """Whether Python knows an encoding of text by this name."""
    try:
        "".encode(name)
        return bool("a".encode(name))
    except (LookupError, ValueError):
        return False
