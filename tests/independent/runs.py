"""Runs as their folders tell them: journals, specifications, and ranks of test users."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

NAMES = {"HitRate@10": "hit", "Recall@10": "recall", "MRR@10": "mrr", "NDCG@10": "ndcg"}
_NAMES = ("seed", "variant", "refits", "chosen_by")
_LABELS = ("title", "aliases", "size", "folder", "titles", "local", "archive", "license", "note",
           "optional", "interactions_sha256")  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A run."""

    id: str
    spec: Mapping[str, Any]
    suite: str | None
    meta: Mapping[str, Any]
    start: Mapping[str, Any]
    """Of the newest attempt; empty before there is one."""
    starts: tuple[Mapping[str, Any], ...]
    end: Mapping[str, Any]
    epochs: tuple[Mapping[str, Any], ...]
    """In order, each by the newest attempt that trained it."""
    telemetry: tuple[Mapping[str, Any], ...]
    parameters: int | None
    folder: Path

    @property
    def state(self) -> str:
        if self.pruned:
            return "done"
        return self.end.get("status") or self.meta.get("state") or "queued"

    @property
    def pruned(self) -> bool:
        """Whether it is a trial that was paused, and never trained on."""
        return self.end.get("cause") == "paused" and self.meta.get("cause") == "pruned"

    @property
    def place(self) -> tuple[str, str, int, str]:
        spec = self.spec
        return spec["model"], spec["dataset"], spec["length"], spec["profile"]

    @property
    def group(self) -> tuple[str, str, int, str]:
        """What must be equal for runs to be compared."""
        split = json.dumps(self.spec["source"].get("split"), sort_keys=True)
        return self.spec["dataset"], self.start["checksum"], self.spec.get("protocol", 1), split

    @property
    def cell(self) -> tuple[Any, ...]:
        """What must be equal for runs to differ in seed only."""
        source = {k: v for k, v in self.spec["source"].items() if k not in _LABELS}
        rest = {k: v for k, v in self.spec.items() if k not in _NAMES}
        text = json.dumps({**rest, "source": source}, sort_keys=True)
        return (*self.place, self.start.get("checksum"), text)

    @cached_property
    def ranks(self) -> np.ndarray:
        """(2, items ranked): over all items, and with seen ones masked."""
        return np.load(self.folder / "test_ranks.npy", allow_pickle=False)

    @cached_property
    def users(self) -> np.ndarray:
        """(items ranked,): whose each is; one each where there is no file that tells."""
        file = self.folder / "test_users.npy"
        if not file.exists():
            return np.arange(self.ranks.shape[1])
        return np.load(file, allow_pickle=False)

    @property
    def has_lists(self) -> bool:
        return (self.folder / "test_top.npy").exists()

    @property
    def completed(self) -> bool:
        """Whether it is of an earlier version and got results later, of which no list is kept."""
        return (self.folder / "results.json").exists()

    def top(self, *, masked: bool) -> np.ndarray:
        """(users, up to 100): the items with the highest scores, then 0."""
        return np.load(
            self.folder / f"test_top{'_masked' if masked else ''}.npy", allow_pickle=False
        )

    @cached_property
    def chosen(self) -> Mapping[str, Any]:
        """The first epoch with the highest validation NDCG; of a refit the last."""
        if "refits" in self.spec:
            return self.epochs[-1]
        return max(self.epochs, key=lambda line: (line["valid_ndcg"], -line["epoch"]))

    @property
    def trained(self) -> list[float]:
        """Seconds of training of each epoch."""
        return [line["train_seconds"] for line in self.epochs]

    @property
    def still_improving(self) -> bool:
        """Whether its best epoch is the last that its limit allowed."""
        limit = self.spec["training"]["epochs"]
        fitted = self.spec["training"]["objective"] == "fitted"
        free = not fitted and "refits" not in self.spec
        return self.state == "done" and free and self.chosen["epoch"] == limit

    @property
    def processor(self) -> list[float] | None:
        """The shares of the processor time that it asked for which it had, in training and while
        its speed was measured; None unless they are known of all epochs."""
        both = [(line.get("cpu_seconds"), line.get("cpu_wait_seconds")) for line in self.epochs]
        if not both or any(None in each for each in both):
            return None
        had, waited = map(sum, zip(*both, strict=True))
        speed = self.end.get("speed_cpu_share")
        return [had / (had + waited), *([] if speed is None else [speed])]

    @property
    def busy(self) -> bool:
        """Whether it had less than 80 % of the processor that it asked for."""
        return any(share < 0.8 for share in self.processor or ())

    @property
    def is_told(self) -> bool:
        """Whether anything told what else the device did."""
        if self.start["device_kind"] == "cpu":
            return self.processor is not None
        return any(line.get("gpu_others") is not None for line in self.telemetry)

    @cached_property
    def marks(self) -> set[str]:
        """What its journals give a mark for."""
        found = {
            "still-improving": self.still_improving,
            "other-copy": any(start.get("confirmed") is False for start in self.starts),
            "changed-data": len({start["checksum"] for start in self.starts}) > 1,
            "shared": any(line.get("gpu_others") for line in self.telemetry),
            "busy-processor": self.busy,
        }
        return {mark for mark, holds in found.items() if holds}

    @property
    def remarks(self) -> set[str]:
        """Its marks, and whether it took several attempts."""
        return self.marks | ({"several attempts"} if len(self.starts) > 1 else set())

    @property
    def disturbed(self) -> bool:
        """Whether something else was in its times."""
        return bool(self.marks & {"shared", "busy-processor"})

    @property
    def counted(self) -> tuple[str, ...]:
        """The devices whose energy is known of every epoch."""
        both = ("gpu_joules", "cpu_joules")
        return tuple(n for n in both if all(line.get(n) is not None for line in self.epochs))

    @property
    def joules(self) -> list[float]:
        """The energy of each epoch; nothing if it isn't known."""
        counted = self.counted
        return [sum(line[name] for name in counted) for line in self.epochs if counted]

    def cost(self, name: str) -> float | None:
        match name:
            case "Training to the chosen epoch":
                return sum(self.trained[: self.chosen["epoch"]])
            case "Training per epoch":
                return float(np.median(self.trained))
            case "CPU time per epoch":
                known = [line.get("cpu_seconds") for line in self.epochs]
                return None if None in known else float(np.median(known))
            case "Energy per epoch":
                return float(np.median(self.joules)) if self.joules else None
            case "Energy to the chosen epoch":
                return sum(self.joules[: self.chosen["epoch"]]) if self.joules else None
            case "Parameters":
                return self.parameters
            case "Peak GPU memory":
                return _most(line.get("gpu_memory_mib") for line in self.epochs)
            case "Peak memory of the process":
                return _most(line.get("process_memory_mib") for line in self.telemetry)
            case "Users/s at batch size 1":
                return self.end.get("users_per_second_1")
            case "Users/s at batch size 256":
                return self.end.get("users_per_second_256")
        raise KeyError(name)


def per_user(ranks: np.ndarray, metric: str, k: int = 10) -> np.ndarray:
    """The metric at k for each rank of a relevant item."""
    gain = {
        "ndcg": 1 / np.log2(1.0 + ranks),
        "mrr": 1.0 / ranks,
        "hit": np.ones(ranks.shape),
        "recall": np.ones(ranks.shape),
    }[metric]
    return np.where(ranks <= k, gain, 0.0)


def by_user(values: np.ndarray, users: np.ndarray) -> np.ndarray:
    """The mean of each user's values."""
    _, whose = np.unique(users, return_inverse=True)
    return np.bincount(whose, values) / np.bincount(whose)


def _most(values: Any) -> float | None:
    return max((value for value in values if value is not None), default=None)


def read_run(folder: Path) -> Run:
    """Read a run's folder."""
    content = json.loads((folder / "spec.json").read_text())
    meta_file = folder / "meta.json"
    journals = sorted(folder.glob("journal-*.jsonl"), key=lambda path: int(path.stem[8:]))
    starts, end, telemetry = [], {}, []
    epochs: dict[int, Mapping[str, Any]] = {}
    for journal in journals:
        end = {}
        for text in journal.read_text().splitlines(keepends=True):
            if not text.endswith("\n"):
                continue
            line = json.loads(text)
            match line["kind"]:
                case "start":
                    starts.append(line)
                    epochs = {n: e for n, e in epochs.items() if n <= line["resumed_epoch"]}
                case "epoch":
                    epochs[line["epoch"]] = line
                case "telemetry":
                    telemetry.append(line)
                case "end":
                    end = line
    start = starts[-1] if starts else {}
    return Run(
        id=folder.name,
        spec=content["spec"],
        suite=content.get("suite"),
        meta=json.loads(meta_file.read_text()) if meta_file.exists() else {},
        start=start,
        starts=tuple(starts),
        end=end,
        epochs=tuple(epochs[number] for number in sorted(epochs)),
        telemetry=tuple(telemetry),
        parameters=start.get("parameters", content.get("parameters")),
        folder=folder,
    )


def read_runs(folder: Path) -> list[Run]:
    """Read every run in a folder of runs; imported ones have no specification of ours."""
    found = [read_run(path.parent) for path in sorted(folder.glob("*/spec.json"))]
    return [run for run in found if "origin" not in run.spec]
