"""The app and the command plan and queue the same runs for the same choice."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner
from held import worked_on
from hypothesis import assume, given
from hypothesis import strategies as st
from pilots import settled, wait_for
from textual.widgets import Input, Select, TextArea

from engine.config import Catalogue, load_catalogue
from engine.config.overrides import overlay
from engine.errors import UsageError
from engine.order import Order, parse_lengths, parse_seeds, parse_settings, settings_text
from engine.planning import Plan, order_of_cells, plan
from engine.spec import CellKey, Suite
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.cli.main import seqbench
from tui.cli.runs.run import asked_order
from tui.cli.session import Session
from tui.launch.confirm import ConfirmScreen
from tui.launch.screen import LaunchScreen

MIXED = Suite(
    name="mixed", title="Mixed", models=("xlstm", "SAS4Rec"), datasets=("ml-100k", "synthetic"),
    lengths=(50, 20), cells=(("xlstm", "ml-100k", 50), ("sasrec", "synthetic", 20)), seeds=(3, 1),
    overrides={"tied": True, "lr": (0.00001, 0.1), "epochs": 5},
    variants={"plain": {}, "slow": {"training.lr": 0.0001}, "long": {"epochs": 7}},
)  # fmt: skip
"""Named by an alias, with cells of its own, settings of every kind, and variants against them."""


@cache
def catalogue() -> Catalogue:
    shipped = load_catalogue()
    return replace(shipped, suites=shipped.suites | {"mixed": MIXED})


# What somebody wants, said in either way


@dataclass(frozen=True)
class Choice:
    models: tuple[str, ...]
    datasets: tuple[str, ...]
    lengths: tuple[int, ...]
    seeds: tuple[int, ...]
    profile: str | None
    suite: str | None
    settings: dict[str, str]

    def named(self) -> Suite | None:
        return None if self.suite is None else catalogue().suite(self.suite)

    def cells(self) -> set[CellKey]:
        """The cells to select in the grid."""
        suite = self.named()
        if suite is None:
            return set(product(self.models, self.datasets, self.lengths or (50,)))
        models = [catalogue().model(name).name for name in self.models or suite.models]
        spanned = product(models, self.datasets or suite.datasets, self.lengths or suite.lengths)
        return {cell for cell in spanned if not suite.cells or cell in suite.cells}

    def in_app(self) -> Order:
        """As the Launch screen orders it: the grid's cells, and the text of the form's fields."""
        suite, seeds = self.named(), self.seeds
        own: dict[str, str] = {}
        if suite is not None:
            own, seeds = {**settings_text(suite.overrides)}, seeds or suite.seeds
        fields = overlay(own, {**self.settings})
        return order_of_cells(
            catalogue(),
            self.cells(),
            parse_seeds(", ".join(map(str, seeds or (42,)))),
            self.profile or (suite.profile if suite else "reference"),
            parse_settings("\n".join(f"{key}={value}" for key, value in fields.items())),
            suite.name if suite else None,
        )

    def as_options(self) -> Order:
        """As the command reads it."""
        session = Session()
        session.__dict__["catalogue"] = catalogue()
        return asked_order(
            session,
            (self.models,) if self.models else (),
            (self.datasets,) if self.datasets else (),
            tuple(map(str, self.lengths)),
            tuple(map(str, self.seeds)),
            self.profile,
            self.suite,
            tuple(f"{key}={value}" for key, value in self.settings.items()),
        )


Value = TypeVar("Value")


def some(values: Sequence[Value], least: int = 0) -> st.SearchStrategy[tuple[Value, ...]]:
    chosen = st.lists(st.sampled_from(values), min_size=least, max_size=3, unique=True)
    return chosen.map(tuple)


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    suite = draw(st.sampled_from([None, "smoke", "mixed", "MIXED", "positions-100k", "dtype-100k"]))
    return Choice(
        models=draw(some(["xlstm", "sasrec", "bert4rec"], least=int(suite is None))),
        datasets=draw(some(["ml-100k", "synthetic"], least=int(suite is None))),
        lengths=draw(some([50, 20])),
        seeds=draw(some(range(6))),
        profile=draw(st.sampled_from([None, "reference", "tuned"])),
        suite=suite,
        settings=draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "epochs": st.sampled_from(["5", "9"]),
                    "training.lr": st.sampled_from(["0.01", "1e-3", "0.01,1e-3,0.001"]),
                    "tied": st.sampled_from(["true", "false"]),
                },
            )
        ),
    )


def planned(order: Callable[[], Order], present: Container[str] = ()) -> Plan | str:
    """The plan, or why there is none."""
    try:
        return plan(catalogue(), order(), present)
    except UsageError as error:
        return str(error)


@given(choices(), st.data())
def test_both_plan_the_same_runs(choice: Choice, data: st.DataObject) -> None:
    suite = choice.named()
    own = settings_text(suite.overrides) if suite else {}
    # A field that says what the suite says can't be meant against its variants; an option can.
    assume(not any(own.get(key) == value for key, value in choice.settings.items()))
    assume(choice.cells())
    everything = planned(choice.in_app)
    if isinstance(everything, str):
        assert planned(choice.as_options) == everything
        return
    fingerprints = [run.fingerprint for run in everything.runs]
    assert fingerprints == list(dict.fromkeys(run.spec.fingerprint() for run in everything.runs))
    present = data.draw(st.sets(st.sampled_from(fingerprints)))
    app, command = planned(choice.in_app, present), planned(choice.as_options, present)
    assert isinstance(app, Plan)
    assert isinstance(command, Plan)
    assert (app.runs, app.label, app.absent) == (command.runs, command.label, command.absent)
    assert set(fingerprints) - present == {run.fingerprint for run in app.missing}


@pytest.mark.parametrize("typed", ["epochs=x", "epoch=3", "heads=5", "lr=1\nlr=2", "epochs"])
def test_both_refuse_in_the_same_words(typed: str) -> None:
    cell = ("sasrec", "synthetic", 50)
    said = planned(lambda: order_of_cells(catalogue(), [cell], settings=parse_settings(typed)))
    options = [word for line in typed.splitlines() for word in ("--set", line)]
    chosen = ["run", "--model", "sasrec", "--dataset", "synthetic", "--dry-run"]
    result = CliRunner().invoke(seqbench, [*chosen, *options], prog_name="seqbench")
    assert (result.exit_code, result.stderr) == (2, f"seqbench: {said}\n")


# The screen by its fields and keys, the command by its options, into two stores


def queued(location: StoreLocation) -> list[tuple[object, ...]]:
    sql = (
        "SELECT fingerprint, state, suite, model, dataset, length, seed, profile, position,"
        " parameters, epochs, launcher FROM runs ORDER BY position"
    )
    with closing(connect_reader(location)) as connection:
        return [tuple(row) for row in connection.execute(sql)]


async def launch(app: SeqbenchApp, suite: str | None, fields: dict[str, str]) -> None:
    """Choose on the Launch screen and confirm; without a suite, two models by hand."""
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, LaunchScreen)
        if suite is not None:
            screen.query_one("#suite", Select).value = suite
            await settled(pilot)
        for name in ("seeds", "lengths"):
            if name in fields:
                screen.query_one(f"#{name}", Input).value = fields[name]
        area = screen.query_one("#settings", TextArea)
        typed = parse_settings(fields.get("settings", ""))
        texts = settings_text(overlay(parse_settings(area.text), typed))
        area.load_text("\n".join(f"{key}={value}" for key, value in texts.items()))
        await settled(pilot)
        if suite is None:
            lengths = parse_lengths(fields["lengths"])
            screen.grid.select(product(("xlstm", "sasrec"), ("synthetic",), lengths))
            await settled(pilot)
        await pilot.press("l")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")


@pytest.mark.parametrize(
    ("suite", "fields", "label"),
    [
        ("smoke", {"seeds": "1-3"}, "smoke"),
        ("smoke", {"settings": "lr=0.01"}, None),
        (None, {"seeds": "5, 4", "settings": "epochs=3\nlr=0.01,0.1", "lengths": "75, 20"}, None),
    ],
)
async def test_both_queue_the_same_runs(
    tmp_path: Path, suite: str | None, fields: dict[str, str], label: str | None
) -> None:
    by_app, by_command = (StoreLocation(tmp_path / at / "runs.db") for at in ("app", "command"))
    with worked_on(by_app):
        await launch(SeqbenchApp(by_app), suite, fields)
    chosen = ["--suite", suite] if suite else ["--model", "xlstm,sasrec", "--dataset", "synthetic"]
    for option, name in (("--seed", "seeds"), ("--length", "lengths")):
        chosen += [option, fields[name]] if name in fields else []
    for line in fields.get("settings", "").splitlines():
        chosen += ["--set", line]
    command = ["--db", str(by_command.db), "run", *chosen]
    with worked_on(by_command):
        result = CliRunner().invoke(seqbench, command, prog_name="seqbench")
    assert result.exit_code == 0, result.output
    rows = queued(by_app)
    assert rows == queued(by_command)
    assert {row[2] for row in rows} == {label}
