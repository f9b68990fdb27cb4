"""The races as Markdown and as JSON."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import device_name, table
from benchmarks.sides.race import Limits, Reached, Track
from engine.spec import RunSpec

NOTES = """\
Training is the median epoch, or the measured updates scaled to an epoch's. Seconds to a Recall@10
are of training, and in brackets of training and evaluation; "> x" was not reached in x seconds.
seqbench and prefix evaluate validation and test, each over all items and with seen items masked;
RecBole validation over all items. Peak memory is the process's, with Python and PyTorch (and
without an evaluation where none was measured). ×: times seqbench's."""


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
        *("model", "side", "parameters", "measured", "training, s an epoch", "evaluation, s"),
        *("peak memory, MiB", "best validation Recall@10", target, "s to RecBole's best"),
    ]
    races = result.races.items()
    rows = [row for model, tracks in races for row in _rows(model, tracks, result.limits)]
    spec = next(iter(result.specs.values()))
    heading = f"### {spec.source.title}, L = {spec.length}"
    return "\n\n".join([heading, _setting(result), table(headers, rows), NOTES]) + "\n"


def as_json(result: Result) -> dict[str, Any]:
    spec = next(iter(result.specs.values()))
    return {
        "dataset": spec.dataset,
        "length": spec.length,
        "threads": result.threads,
        "cpu": device_name(torch.device("cpu")),
        "date": datetime.date.today().isoformat(),
        "limits": asdict(result.limits),
        "models": {
            model: [
                {
                    "side": track.entry.name,
                    "partial": track.entry.partial,
                    "settings": track.entry.settings,
                    **asdict(track.ready),
                    "turns": [asdict(turn) for turn in track.turns],
                }
                for track in tracks
            ]
            for model, tracks in result.races.items()
        },
    }


def save(path: Path, results: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(results, indent=1) + "\n")


def _setting(result: Result) -> str:
    spec = next(iter(result.specs.values()))
    sizes, training = spec.architecture, spec.training
    dropouts = ", ".join(f"{name} {s.architecture.dropout:g}" for name, s in result.specs.items())
    libraries = {
        f"{track.ready.library} (PyTorch {track.ready.torch}, {track.ready.dtype})": None
        for tracks in result.races.values()
        for track in tracks
    }
    return (
        f"{device_name(torch.device('cpu'))}, {result.threads} threads, "
        f"{datetime.date.today()}. {'; '.join(libraries)}. "
        f"d = {sizes.dim}, layers: {sizes.layers}, heads: {sizes.heads}, feed-forward 4d in the "
        f"Transformers; dropout: {dropouts}; batches of {training.batch_size}, Adam at "
        f"{training.lr:g} unless it says otherwise, cross-entropy over all items, evaluation of "
        f"{training.eval_batch_size} users at once. The rest of RecBole's settings are its "
        f"defaults (BERT4Rec: mask_ratio 0.2, ft_ratio 0.5). "
        f"A side had at most {result.limits.seconds:g} s."
    )


def _rows(model: str, tracks: list[Track], limits: Limits) -> Iterator[list[str]]:
    ours = next((track for track in tracks if track.entry.kind == "seqbench"), tracks[0])
    whole = [track for track in tracks if track.entry.kind == "recbole" and not track.entry.partial]
    best = whole[0].best if whole else None
    for track in tracks:
        yield [
            model,
            track.entry.name,
            f"{track.ready.parameters:,}",
            _measured(track),
            _compared(track.epoch_seconds, ours.epoch_seconds, track is ours),
            _compared(track.evaluation_seconds, ours.evaluation_seconds, track is ours),
            _compared(track.peak_mib, ours.peak_mib, track is ours),
            "" if track.best is None else _recall(track.best),
            _reached(track.reach(limits.target), ours.reach(limits.target), track is ours),
            "" if best is None else _reached(track.reach(best), ours.reach(best), track is ours),
        ]


def _measured(track: Track) -> str:
    if track.entry.partial:
        return f"from {track.updates} of {track.ready.updates_per_epoch:,} updates"
    epochs = len(track.turns)
    return f"{epochs} epoch{'s' * (epochs != 1)} of {track.ready.updates_per_epoch:,} updates"


def _compared(value: float | None, ours: float | None, is_ours: bool) -> str:
    if value is None:
        return "not measured"
    if is_ours or not ours:
        return _number(value)
    return f"{_number(value)} (×{_number(value / ours)})"


def _reached(side: Reached | None, ours: Reached | None, is_ours: bool) -> str:
    """Of training, and in brackets of training and evaluation. A time that was not reached is a
    lower bound, and so is its ratio, which says nothing below 1."""
    if side is None:
        return "not measured"
    bound = "" if side.reached else "> "
    text = f"{bound}{_number(side.train_seconds)} ({bound}{_number(side.total_seconds)})"
    if is_ours or ours is None or not ours.reached:
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
