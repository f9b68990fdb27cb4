"""The schema of published results: figures with the protocol that they were measured under.

What a source doesn't say is ``unknown``, which any field may be and is where it isn't given. Files
of earlier versions, which have ``ranking``, ``aggregate`` and ``split`` instead of ``protocol`` and
``note``, mean the same as ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from engine.config.addresses import is_web_address
from engine.errors import SHOWN, cut, shown
from engine.spec import Name, Strict

Unknown = Literal["unknown"]
UNKNOWN: Final = "unknown"

MOST_PLACES = 20
"""Largest number of digits of a published value on either side of its point."""

METRIC_TITLES = {"HitRate": "hit", "Recall": "recall", "MRR": "mrr", "NDCG": "ndcg"}
"""What figures call the metrics of `engine.metrics.METRICS`."""

_METRIC = re.compile(rf"({'|'.join(METRIC_TITLES)})@([1-9][0-9]{{0,3}})")


def _digits(value: object) -> Decimal:
    """Take a number, or a text that is one, with the digits that it is written in."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
            raise InvalidOperation
        number = Decimal(str(value))
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int):  # no finite number
            raise InvalidOperation
    except InvalidOperation:
        raise ValueError(f"expected a number, not {shown(value)}") from None
    if exponent < -MOST_PLACES or number.adjusted() >= MOST_PLACES:
        raise ValueError(
            f"expected a number of at most {MOST_PLACES} places, not {cut(str(number), SHOWN)}"
        )
    return number


def _share(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def _address(value: object) -> object:
    if value and not (isinstance(value, str) and is_web_address(value)):
        raise ValueError("expected the source's address, such as https://arxiv.org/abs/2309.07602")
    return value


Digits = Annotated[Decimal, BeforeValidator(_digits)]
"""A published value with its digits: ``0.130`` isn't ``0.13``."""

Count = Annotated[int, Field(gt=0)]
Share = Annotated[float, BeforeValidator(_share), Field(ge=0, le=1)]
Address = Annotated[str, BeforeValidator(_address)]


class PublishedCounts(Strict):
    """What a data set holds after a source's filtering."""

    users: Count | Unknown = UNKNOWN
    items: Count | Unknown = UNKNOWN
    interactions: Count | Unknown = UNKNOWN


class PublishedProtocol(Strict):
    """How a figure was measured, and what the model was trained with."""

    split: Literal["leave-one-out", "temporal", "given", "unknown"] = UNKNOWN
    quantile: Share | Unknown = UNKNOWN
    """Of a temporal split: share of the interactions, by time, before the test period."""
    targets: Literal["last", "first", "random", "successive", "all", "unknown"] = UNKNOWN
    """Which interactions of the held-out part are ranked: of ``all``, in one list."""
    ties: Literal["file", "item", "unstable", "unknown"] = UNKNOWN
    """Order of a user's interactions at the same time: the file's, by the item's number, or that
    of a sort that isn't stable."""
    seen: Literal["ranked", "masked", "input-masked", "unknown"] = UNKNOWN
    """Whether items that the user had before are ranked, or masked; or masked only if they are in
    the model's input."""
    candidates: Annotated[str, Field(pattern=r"^(all|unknown|[1-9]\d* (uniform|popular))$")] = (
        UNKNOWN
    )
    """What the true item is ranked among: ``all`` items, or so many drawn, such as ``100
    uniform``."""
    length: Count | Unknown = UNKNOWN
    """L, the most items of a history that the model sees."""
    loss: Literal["full", "sampled", "bce", "gbce", "bpr", "unknown"] = UNKNOWN
    """Softmax over all items or sampled ones; binary cross-entropy, plain or generalised; BPR."""
    negatives: Count | Unknown = UNKNOWN
    """Sampled items a target."""
    calibration: Share | Unknown = UNKNOWN
    """gBCE's t."""
    refit: bool = False
    """Whether the model was trained with validation included; not, unless the source says so."""
    part: Literal["test", "validation", "unknown"] = UNKNOWN
    """What the figure was measured on."""
    epoch: Literal["best", "max", "last", "mean", "unknown"] = UNKNOWN
    """Which epoch is reported: the best on validation, the figure's own maximum, …"""


class PublishedCell(Strict):
    """Published results of one model on one data set, under one protocol."""

    model: Name
    dataset: Name
    label: str = ""
    """What the source calls the model; by default its title."""
    where: str = ""
    """Where the source has it."""
    length: Count | None = None
    """``protocol.length``, in short."""
    protocol: PublishedProtocol = PublishedProtocol()
    """What is other than in the table's."""
    seeds: Count | Unknown = UNKNOWN
    figures: dict[str, Digits]
    """By metric and k, such as ``NDCG@10``, or by a column of the reference table."""
    deviations: dict[str, Digits] = Field(default={})
    """Published deviations over seeds, by the same names."""

    @model_validator(mode="after")
    def _deviations_are_of_figures(self) -> PublishedCell:
        if extra := self.deviations.keys() - self.figures.keys():
            raise ValueError(f"'deviations' has {shown(min(extra))}, of which it has no value")
        return self


_EARLIER = {
    "ranking": ("seen", {"all-items": "ranked", "seen-masked": "masked"}),
    "aggregate": ("epoch", {}),
}
"""Keys of earlier versions: the field of the protocol, and what their values are called now."""


class PublishedTable(Strict):
    """Published results from one source."""

    name: Name
    title: str
    source: str = ""
    """What the source is, and what was read there."""
    address: Address = ""
    year: int | Unknown = UNKNOWN
    suite: str | None = None
    """The suite that runs its cells."""
    note: str = ""
    """What a reader of the figures must know."""
    datasets: dict[Name, PublishedCounts] = Field(default={})
    """What its data sets hold."""
    models: dict[Name, str] = Field(default={})
    """Titles of models that don't come with seqbench, by name."""
    protocol: PublishedProtocol = PublishedProtocol()
    """What all its cells have in common."""
    cells: tuple[PublishedCell, ...]

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        content = dict(value)
        protocol = content.get("protocol", {})
        for key, (field, names) in _EARLIER.items():
            if key in content and isinstance(protocol, Mapping):
                given = content.pop(key)
                protocol = {**protocol, field: names.get(given, given)}
                content["protocol"] = protocol
        if "split" in content:
            content["note"] = content.pop("split")
        return content

    def protocol_of(self, cell: PublishedCell) -> PublishedProtocol:
        """Return the protocol of one of its cells, the table's with what is other there."""
        own = {name: getattr(cell.protocol, name) for name in cell.protocol.model_fields_set}
        if cell.length is not None:
            own["length"] = cell.length
        return self.protocol.model_copy(update=own)


def metric_and_k(name: str) -> tuple[str, int] | None:
    """Return the metric of a figure's name, as `engine.metrics.METRICS` has it, and its k.

    ``NDCG@10`` and ``NDCG@10/test`` are ``("ndcg", 10)``; ``EpochTime`` is no metric.
    """
    found = _METRIC.fullmatch(name.removesuffix("/test"))
    if found is None:
        return None
    metric, k = found.groups()
    return METRIC_TITLES[metric], int(k)
