"""Published results, each with the setup that it was measured under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.analysis.provenance import rule_of
from engine.metrics import RESULT_OF, Result

if TYPE_CHECKING:
    from engine.config import PublishedTable
    from engine.config.published import PublishedCell

TARGETS = {"leave-one-out": "last", "temporal": "first", "given": "first"}
"""Which held-out interactions a run ranks, by the kind of its split, where it doesn't say it."""

Place = tuple[str, object]
"""A model and a data set, by its name or by its users, items and interactions."""

BOTH = "both"
"""`Setup.seen` of a run: it has its metrics with seen items ranked, and with them masked."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a figure depends on besides the model; None is unknown. The words are those of
    `engine.config.published.PublishedProtocol`."""

    users: int | None = None
    items: int | None = None
    interactions: int | None = None
    split: str | None = None
    quantile: float | None = None
    targets: str | None = None
    ties: str | None = None
    candidates: str | None = None
    seen: str | None = None
    length: int | None = None
    loss: str | None = None
    negatives: int | None = None
    calibration: float | None = None
    refit: bool = False


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """A published value of a metric."""

    table: str
    title: str
    address: str
    year: int | None
    where: str
    model: str
    label: str
    dataset: str
    metric: str
    """As `engine.metrics.METRICS` has it."""
    k: int
    name: str
    """Metric and k, such as ``NDCG@10``."""
    value: Decimal
    deviation: Decimal | None
    seeds: int | None
    part: str | None
    epoch: str | None
    setup: Setup

    @property
    def source(self) -> str | None:
        """The store's column that is measured like it; None if the store has none at its k."""
        from engine.spec import TOP_K  # pydantic, which the first paint does without

        masked = self.setup.seen in ("masked", "input-masked")
        if self.k != TOP_K:
            known = self.part == "test" and self.epoch in ("best", None)
            metric = "recall" if self.metric == "hit" else self.metric
            name = Result(metric, self.k, masked).name
            return name if known and name in RESULT_OF else None
        part = "test" if self.part == "test" else "valid"
        return f"{part}_{self.metric}{'_masked' if masked else ''}_{self.epoch or 'best'}"


def figures_of(tables: Iterable[PublishedTable]) -> list[PublishedFigure]:
    """List the published metrics of some tables, in their order."""
    return [figure for table in tables for cell in table.cells for figure in _of_cell(table, cell)]


def places_of(tables: Iterable[PublishedTable]) -> frozenset[Place]:
    """Return for what models and data sets anything is published: each model with the name of the
    data set, and with its users, items and interactions if they are known."""
    found: set[Place] = set()
    for table in tables:
        for cell in table.cells:
            found.add((cell.model, cell.dataset))
            counts = table.datasets.get(cell.dataset)
            if counts is not None and "unknown" not in (held := tuple(dict(counts).values())):
                found.add((cell.model, held))
    return frozenset(found)


def _of_cell(table: PublishedTable, cell: PublishedCell) -> Iterator[PublishedFigure]:
    from engine.config.published import metric_and_k

    setup, protocol = published_setup(table, cell), table.protocol_of(cell)
    for name, value in cell.figures.items():
        found = metric_and_k(name)
        if found is None:
            continue
        yield PublishedFigure(
            table=table.name,
            title=table.title,
            address=table.address,
            year=_known(table.year),
            where=cell.where,
            model=cell.model,
            label=cell.label or table.models.get(cell.model, cell.model),
            dataset=cell.dataset,
            metric=found[0],
            k=found[1],
            name=name.removesuffix("/test"),
            value=value,
            deviation=cell.deviations.get(name),
            seeds=_known(cell.seeds),
            part=_known(protocol.part),
            epoch=_known(protocol.epoch),
            setup=setup,
        )


def published_setup(table: PublishedTable, cell: PublishedCell) -> Setup:
    """Return the setup of a table's cell."""
    protocol, counts = table.protocol_of(cell), table.datasets.get(cell.dataset)
    held = {name: _known(value) for name, value in counts} if counts else {}
    kept = {name: _known(value) for name, value in protocol if name not in ("part", "epoch")}
    return Setup(**held, **kept)


def setup_of(spec: Mapping[str, Any]) -> Setup:
    """Return the setup of a run by its specification as JSON, of this version or another.

    Of an imported run nothing is known but L.
    """
    length = _whole(spec.get("length"))
    source, rule = spec.get("source"), rule_of(spec, "split")
    training = spec.get("training")
    if "origin" in spec or not isinstance(source, Mapping):
        return Setup(length=length)
    split = rule if isinstance(rule, dict) else {}
    kind = str(split.get("kind") or "leave-one-out")
    return Setup(
        users=_whole(source.get("users")),
        items=_whole(source.get("items")),
        interactions=_whole(source.get("interactions")),
        split=kind,
        quantile=_quantile(split) if kind == "temporal" else None,
        targets=_targets(split, kind),
        ties="file",
        candidates="all",
        seen=BOTH,
        length=length,
        refit=isinstance(training, Mapping) and bool(training.get("refit")),
        **_loss(training if isinstance(training, Mapping) else {}),
    )


def digits_text(published: Decimal) -> str:
    """Write a published value with its own digits, with thousands separators: ``0.130``."""
    return f"{published:,f}"


def _loss(training: Mapping[str, Any]) -> dict[str, Any]:
    """The loss of a run, unless it is the model's own or none."""
    from engine.spec import Training

    def value(name: str) -> Any:
        return training.get(name, Training.model_fields[name].default)

    if value("objective") in ("own", "fitted"):
        return {}
    loss = str(value("loss"))
    if loss == "full":
        return {"loss": loss}
    own = {"loss": loss, "negatives": _whole(value("negatives"))}
    if loss != "gbce":
        return own
    calibration = value("gbce_calibration")
    return {**own, "calibration": calibration} if calibration else {**own, "loss": "bce"}


def _targets(split: Mapping[str, Any], kind: str) -> str | None:
    told = split.get("targets") if kind != "leave-one-out" else None
    return str(told) if told else TARGETS.get(kind)


def _quantile(split: Mapping[str, Any]) -> float | None:
    from engine.spec import SplitRule

    if isinstance(quantile := split.get("quantile"), float):
        return quantile
    if split.get("test_from") is not None:
        return None
    share = split.get("test_share", SplitRule.model_fields["test_share"].default)
    return round(1 - share, 9) if isinstance(share, int | float) else None


def _known(value: Any) -> Any:
    return None if value == "unknown" else value


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
