"""Studies through the real supervisor, several at once, in a store of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from benchmarks.common import progress
from benchmarks.lab import end
from benchmarks.tuning.record import StudyRecord, recorded
from benchmarks.tuning.tables import told
from engine.config import load_catalogue
from engine.datasets.locate import is_ready
from engine.errors import UserError
from engine.lifecycle import UNDER_WAY
from engine.order import parse_settings
from engine.planning import StudyOrder, begin_study, plan_study
from engine.spec import Prune, Sampler
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation, store_location
from engine.store.studies import trials_of
from engine.supervisor.start import ensure_supervisor

POLL_SECONDS = 0.5
TELL_SECONDS = 30.0


@dataclass(frozen=True)
class Wanted:
    """The studies to make: of each seed one of each sampler with each way of pruning."""

    samplers: Sequence[Sampler]
    prunes: Sequence[Prune]
    repeats: int
    trials: int
    model: str
    dataset: str
    length: int
    final_seeds: int = 3
    settings: Sequence[str] = ()
    """``KEY=VALUE``, which all trials have."""
    spaces: Sequence[Path] = ()
    at_once: int = 8
    """Studies under way."""
    slots: str = "auto"
    """Runs at once, as ``slots`` of the settings has it."""
    seconds: float | None = None
    """After which those that are under way are left as they are."""


def executed(
    wanted: Wanted, folder: Path, tell: Callable[[Sequence[StudyRecord]], None] = lambda _: None
) -> list[StudyRecord]:
    """Make studies in a store in a folder, seed by seed; return those that began, as they ended.

    Args:
        tell: is given all of them each time that one has ended.

    Raises:
        UserError: the data isn't here, or there can be no such study.
    """
    began, configs = time.monotonic(), _configs(wanted, folder)
    location = store_location(folder / "runs.db")
    orders = list(_orders(wanted))
    total = len(orders)
    open_names: list[str] = []
    records: dict[str, StudyRecord] = {}
    told_at = began
    try:
        while True:
            while orders and len(open_names) < wanted.at_once:
                open_names.append(_begin(location, configs, orders.pop(0)))
            ensure_supervisor(location, configs)
            time.sleep(POLL_SECONDS)
            took = time.monotonic() - began
            for name in list(open_names):
                record = _if_ended(location, name)
                if record is not None:
                    open_names.remove(name)
                    records[name] = record
                    progress(f"{took:6.0f} s: {told(record)}; {len(records)} of {total} ended")
                    tell(list(records.values()))
            if time.monotonic() - told_at > TELL_SECONDS:
                told_at = time.monotonic()
                progress(f"{took:6.0f} s: {_standing(location, open_names)}")
            if not (orders or open_names) or (wanted.seconds is not None and took > wanted.seconds):
                break
    finally:
        end(location)
    with closing(connect_reader(location)) as con:
        return [*records.values(), *(recorded(con, name) for name in open_names)]


def _configs(wanted: Wanted, folder: Path) -> Path:
    configs = folder / "configs"
    configs.mkdir()
    slots = int(wanted.slots) if wanted.slots.isdigit() else wanted.slots
    # Settings may be tried that no run gets through with: that isn't to pause the queue.
    own = {"slots": {"gpu": slots, "cpu": slots}, "niceness": 0, "pause_after": 0}
    (configs / "settings.yaml").write_text(json.dumps(own))
    return configs


def _orders(wanted: Wanted) -> Iterator[StudyOrder]:
    fixed = parse_settings("\n".join(wanted.settings))
    repeats = range(1, wanted.repeats + 1)
    for repeat, prune, sampler in product(repeats, wanted.prunes, wanted.samplers):
        yield StudyOrder(
            models=(wanted.model,),
            dataset=wanted.dataset,
            length=wanted.length,
            settings=fixed,
            spaces=wanted.spaces,
            trials=wanted.trials,
            sampler=sampler,
            prune=prune,
            seed=repeat,
            final_seeds=wanted.final_seeds,
            name=f"{sampler}-{prune}-{repeat}",
        )


def _begin(location: StoreLocation, configs: Path, order: StudyOrder) -> str:
    first = plan_study(load_catalogue(configs), configs, order)
    if not is_ready(first[0].source):
        raise UserError(f"{order.dataset} isn't here: `seqbench data fetch {order.dataset}`.")
    begin_study(location, first)
    assert order.name is not None  # it was given one
    return order.name


def _if_ended(location: StoreLocation, name: str) -> StudyRecord | None:
    with closing(connect_reader(location)) as con:
        if not any(trial.end == "over" for trial in trials_of(con, name)):
            return None
        record = recorded(con, name)
    return record if record.ended else None


def _standing(location: StoreLocation, names: Sequence[str]) -> str:
    told_of = []
    with closing(connect_reader(location)) as con:
        for name in names:
            trials = trials_of(con, name)
            ended = sum(trial.state not in UNDER_WAY for trial in trials)
            paused = sum(trial.held for trial in trials)
            told_of.append(f"{name} {ended}" + (f" and {paused} paused" if paused else ""))
    return f"trials ended: {', '.join(told_of)}"
