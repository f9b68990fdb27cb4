"""The races as Markdown."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from benchmarks.common import device_name, table
from benchmarks.sides.race import Limits, Reached, Track
from engine.spec import RunSpec

NOTES = """\
Training is the median epoch. Seconds to a Recall@10 are of training, and in brackets of training
and evaluation; "> x" was not reached in x seconds. seqbench and prefix evaluate validation and
test, each over all items and with seen items masked; RecBole validation over all items. Peak memory
is the process's, with Python and PyTorch. ×: times seqbench's."""


@dataclass(frozen=True)
class Result:
    """The races on one data set, by model."""

    specs: dict[str, RunSpec]
    """Profile `reference`."""
    races: dict[str, list[Track]]
    limits: Limits
    threads: int


def markdown(result: Result) -> str:
    """Heading, setting, table and notes."""
    target = f"s to Recall@10 {_recall(result.limits.target)}"
    headers = [
        *("model", "side", "parameters", "measured", "training, s per epoch", "evaluation, s"),
        *("peak memory, MiB", "best validation Recall@10", target, "s to RecBole's best"),
    ]
    races = result.races.items()
    rows = [row for model, tracks in races for row in _rows(model, tracks, result.limits)]
    spec = next(iter(result.specs.values()))
    heading = f"### {spec.source.title}, L = {spec.length}"
    return "\n\n".join([heading, _setting(result), table(headers, rows), NOTES]) + "\n"


def _setting(result: Result) -> str:
    spec = next(iter(result.specs.values()))
    sizes, training = spec.architecture, spec.training
    libraries = {
        f"{track.ready.library} (PyTorch {track.ready.torch}, {track.ready.dtype})": None
        for tracks in result.races.values()
        for track in tracks
    }
    return (
        f"{device_name(torch.device('cpu'))}, {result.threads} threads, {datetime.date.today()}. "
        f"{'; '.join(libraries)}. d = {sizes.dim}, layers: {sizes.layers}, heads: {sizes.heads}; "
        f"batches of {training.batch_size}, Adam at {training.lr:g} unless it says otherwise. The "
        "rest of RecBole's settings are its defaults (BERT4Rec: mask_ratio 0.2, ft_ratio 0.5). "
        f"A side had at most {result.limits.seconds:g} s."
    )


def _rows(model: str, tracks: list[Track], limits: Limits) -> Iterator[list[str]]:
    ours = next((track for track in tracks if track.entry.kind == "seqbench"), tracks[0])
    best = next((track.best for track in tracks if track.entry.kind == "recbole"), None)
    for track in tracks:
        yield [
            model,
            track.entry.name,
            f"{track.ready.parameters:,}",
            _measured(track),
            _compared(track.epoch_seconds, ours.epoch_seconds, track is ours),
            _compared(track.evaluation_seconds, ours.evaluation_seconds, track is ours),
            _compared(track.peak_mib, ours.peak_mib, track is ours),
            _recall(track.best),
            _reached(track.reach(limits.target), ours.reach(limits.target), track is ours),
            "" if best is None else _reached(track.reach(best), ours.reach(best), track is ours),
        ]


def _measured(track: Track) -> str:
    epochs = len(track.turns)
    return f"{epochs} epoch{'s' * (epochs != 1)} of {track.ready.updates_per_epoch:,} updates"


def _compared(value: float, ours: float, is_ours: bool) -> str:
    if is_ours or not ours:
        return _number(value)
    return f"{_number(value)} (×{_number(value / ours)})"


def _reached(side: Reached, ours: Reached, is_ours: bool) -> str:
    """Of training, and in brackets of training and evaluation. A time that was not reached is a
    lower bound, and so is its ratio, which says nothing below 1."""
    bound = "" if side.reached else "> "
    text = f"{bound}{_number(side.train_seconds)} ({bound}{_number(side.total_seconds)})"
    if is_ours or not ours.reached:
        return text
    ratio = side.train_seconds / ours.train_seconds
    return text if not side.reached and ratio < 1 else f"{text}, {bound}×{_number(ratio)}"


def _number(value: float) -> str:
    """Three digits or so."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _recall(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
