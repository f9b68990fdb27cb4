"""Pictures of the comparison and of a run's page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from live_app import know_the_surroundings
from measured_runs import MeasuredStore, filled_store
from pilots import settled
from sizes import EACH_SIZE, ONE_SIZE, Sizes
from textual.pilot import Pilot

from engine.interchange.history import import_history
from tui.app import SeqbenchApp

Compare = Callable[..., bool]
SETTINGS: dict[str, Any] = {
    "dim": 64, "layers": 1, "heads": 2, "dropout": 0.2, "norm": "pre", "training.epochs": 200,
    "patience": 10, "batch_size": 128, "lr": 0.001, "weight_decay": 0.0, "grad_clip": 5.0,
    "mask_ratio": 0.2, "eval_batch_size": 512, "dtype": "auto",
}  # fmt: skip
"""All of them, so that the pictures don't change with the defaults."""


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    return filled_store(tmp_path)[0]


def looking(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Open the comparison and press keys, each once the one before has been answered."""

    async def look(pilot: Pilot[None]) -> None:
        for key in ("3", *keys):
            await settled(pilot)
            await pilot.press(key)
        await settled(pilot)
        for field in pilot.app.screen.query("Input"):
            field.cursor_blink = False  # type: ignore[attr-defined]
        await pilot.pause()

    return look


def picture(snap_compare: Compare, store: MeasuredStore, size: tuple[int, int], *keys: str) -> bool:
    app = SeqbenchApp(store.location)
    return snap_compare(app, terminal_size=size, run_before=looking(*keys))


@pytest.mark.parametrize("size", EACH_SIZE, ids=str)
def test_comparison(snap_compare: Compare, measured: MeasuredStore, size: tuple[int, int]) -> None:
    assert picture(snap_compare, measured, size)


def test_run(snap_sizes: Sizes, tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    store.add("sasrec", **SETTINGS)
    snap_sizes(SeqbenchApp(store.location), looking("enter"))


@pytest.mark.parametrize("size", EACH_SIZE, ids=str)
def test_cells(snap_compare: Compare, measured: MeasuredStore, size: tuple[int, int]) -> None:
    assert picture(snap_compare, measured, size, "b", "enter", "down", "space")


@pytest.mark.parametrize("size", ONE_SIZE, ids=str)
def test_diff(snap_compare: Compare, measured: MeasuredStore, size: tuple[int, int]) -> None:
    assert picture(snap_compare, measured, size, "space", "down", "space", "equals_sign")


def test_scatter(snap_sizes: Sizes, measured: MeasuredStore) -> None:
    snap_sizes(SeqbenchApp(measured.location), looking("p"))


def test_columns(snap_compare: Compare, measured: MeasuredStore) -> None:
    assert picture(snap_compare, measured, (80, 24), "C", "down", "space", "J")


def test_a_wrong_filter_on_light(snap_compare: Compare, measured: MeasuredStore) -> None:
    keys = ["f2", "slash", *"n>"]
    assert picture(snap_compare, measured, (80, 24), *keys)


def test_maximum_filtered_and_scrolled_on_light(
    snap_compare: Compare, measured: MeasuredStore
) -> None:
    keys = ["f2", "a", "slash", *"bert4rec", "enter", *["right"] * 7, "down"]
    assert picture(snap_compare, measured, (120, 36), *keys)


def test_failed_run(snap_compare: Compare, measured: MeasuredStore) -> None:
    assert picture(snap_compare, measured, (80, 24), "end", "enter")


def test_export(
    snap_compare: Compare,
    measured: MeasuredStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert picture(snap_compare, measured, (80, 24), "b", "e")


@pytest.mark.parametrize("size", ONE_SIZE, ids=str)
def test_import(
    snap_compare: Compare,
    measured: MeasuredStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_history(tmp_path / "old.csv")
    assert picture(snap_compare, measured, size, "I", *"old.csv", "enter")


@pytest.mark.parametrize("size", ONE_SIZE, ids=str)
@pytest.mark.parametrize("shown", ["b", "v"])
def test_imported(
    snap_compare: Compare,
    measured: MeasuredStore,
    tmp_path: Path,
    size: tuple[int, int],
    shown: str,
) -> None:
    write_history(tmp_path / "old.csv")
    import_history(tmp_path / "old.csv", measured.location)
    assert picture(snap_compare, measured, size, shown, "i")


def write_history(path: Path) -> None:
    head = "epoch,model,dataset,length,seed,t,test_ndcg,valid_ndcg,train_seconds"
    cell = "sasrec,ml-100k,50,7"
    lines = [f"{n},{cell},{1_700_000_000 + n},.0{n + 5},.0{n + 6},2" for n in range(3)]
    path.write_text("\n".join([head, *lines]))


def test_differences_to_a_baseline(snap_compare: Compare, measured: MeasuredStore) -> None:
    assert picture(snap_compare, measured, (120, 36), "b", "down", "B")
