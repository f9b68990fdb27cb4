"""The dialog for a study: what it begins, says and refuses, as the command does."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import CliRunner
from held import worked_on
from pilots import settled, wait_for
from textual.widgets import Input, TextArea
from tune_dialog import BOTH, begin, begun, open_dialog, said, told, type_into

from engine.errors import UserError
from engine.planning.study import FINAL_SEEDS, TRIALS
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.studies import study_names
from tui.app import SeqbenchApp
from tui.cli.main import seqbench
from tui.dialogs.ask import AskScreen
from tui.dialogs.fetch import FetchScreen
from tui.launch.screen import LaunchScreen
from tui.launch.tuning import screen as tuning
from tui.launch.tuning.reading import begin_planned
from tui.study.screen import StudyScreen

pytestmark = pytest.mark.usefixtures("no_data")

SPACES = """\
sasrec:
  lr: {low: 0.001, high: 0.1, log: true}
  dim: [16, 32]
gru4rec:
  dim: [8]
"""


async def test_it_begins_what_the_command_begins(tmp_path: Path) -> None:
    by_app, by_command = (StoreLocation(tmp_path / at / "runs.db") for at in ("app", "command"))
    with worked_on(by_app):
        async with SeqbenchApp(by_app).run_test(size=(120, 36)) as pilot:
            screen = await open_dialog(pilot, settings="epochs=3\ndropout=0.2")
            assert " dropout:" not in screen.query_one("#space", TextArea).text, "it is set"
            assert (
                said(screen, "facts").splitlines()[1].endswith("reference, epochs=3, dropout=0.2")
            )
            await type_into(
                pilot, screen, trials="7", minutes="1.5", seed="4", final_seeds="0",
                sampler="random", prune="asha", name="mine", space=SPACES,
            )  # fmt: skip
            assert said(screen) == ""
            await begin(pilot)
            assert told(pilot) == ["The study mine has begun."]
    spaces = []
    for place, text in enumerate(SPACES.split("gru4rec:")):
        name, space = ("gru4rec", text) if place else ("sasrec", text.partition("\n")[2])
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\nspace:\n{space}")
        spaces += ["--space", str(tmp_path / f"{name}.yaml")]
    words = (
        "tune --model sasrec,gru4rec --dataset synthetic --set epochs=3 --set dropout=0.2"
        " --trials 7 --minutes 1.5 --seed 4 --final-seeds 0 --sampler random --prune asha"
        " --name mine"
    )
    command = ["--db", str(by_command.db), *words.split(), *spaces]
    with worked_on(by_command):
        result = CliRunner().invoke(seqbench, command, prog_name="seqbench")
    assert result.exit_code == 0, result.output
    assert begun(by_app) == begun(by_command)


RIGHT = {
    "trials": "2", "minutes": "", "final_seeds": "1", "seed": "1", "name": "good",
    "sampler": "random", "prune": "none", "space": SPACES,
}  # fmt: skip
WRONG: list[tuple[dict[str, str], str]] = [
    ({"trials": "many"}, "Trials: expected a whole number, not 'many'."),
    ({"trials": "0"}, "trials: expected a number of at least 1, not 0."),
    ({"trials": "10001"}, "trials: expected a number of at most 10000, not 10001."),
    ({"trials": ""}, "Trials: expected a whole number, not ''."),
    ({"minutes": "x"}, "Minutes: expected a number, not 'x'."),
    ({"minutes": "-1"}, "minutes: expected a number greater than 0, not -1."),
    ({"final_seeds": "2.5"}, "Final seeds: expected a whole number, not '2.5'."),
    ({"seed": "2147483647"}, "seed (2147483647) leaves no 1 seeds after it"),
    ({"name": "No Name"}, "a study's name is small letters"),
    ({"sampler": "grid"}, "A grid needs the values of lr: list them"),
    ({"space": ""}, "space:1: expected a mapping of keys to values."),
    ({"space": "sasrec:\n  lr: [1e-3]"}, "space:1: there is no gru4rec: write what is tried"),
    ({"space": SPACES + "xlstm:\n  lr: [0.1]"}, "space:6: xlstm: isn't tuned here"),
    ({"space": SPACES.replace("dim", "dimm")}, "sasrec has no setting 'dimm': did you mean"),
    ({"space": SPACES.replace("[8]", "[0]")}, "dim of gru4rec: expected a number of at least 1"),
    ({"space": SPACES.replace("dim: [16, 32]", "epochs: [1, 2]"), "prune": "asha"},
     "sasrec tries epochs, by which trials are paused: set it."),
]  # fmt: skip


async def test_what_cannot_be_is_said_as_it_is_typed_and_not_begun(
    absent_store: StoreLocation,
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot)
        for fields, problem in WRONG:
            await type_into(pilot, screen, **RIGHT | fields)
            assert said(screen).startswith(problem), fields
            assert not screen.query_one("#cost").visible
            await pilot.press("ctrl+s")
            await settled(pilot)
            assert pilot.app.screen is screen
        await type_into(pilot, screen, **RIGHT)
        assert said(screen) == ""
        assert screen.query_one("#cost").visible
        await begin(pilot)
    assert len(begun(absent_store)) == 2


async def test_enter_in_a_field_begins_what_is_typed_by_then(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await open_dialog(pilot)
        await pilot.press("backspace", "backspace", "3", "enter")  # without a pause to plan it
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    trial, _ = begun(absent_store)
    assert trial.trial is not None
    assert trial.trial.study.trials == 3


async def test_a_study_that_is_beginning_is_not_left(
    absent_store: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Event()

    def begin_once_let(*arguments: Any) -> str:
        assert gate.wait(60)
        return begin_planned(*arguments)

    monkeypatch.setattr(tuning, "begin_planned", begin_once_let)
    app = SeqbenchApp(absent_store)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_dialog(pilot)
        await pilot.press("ctrl+s", "escape")
        assert app.screen is screen, "it would begin unseen"
        gate.set()
        await wait_for(pilot, lambda: isinstance(app.screen, StudyScreen), "the study")
    assert len(begun(absent_store)) == len(BOTH)


async def test_escape_leads_out_of_the_spaces_and_begins_nothing(
    absent_store: StoreLocation,
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        screen = await open_dialog(pilot)
        screen.query_one("#space").focus()
        await pilot.press("enter")  # a line, not the beginning of a study
        assert screen.query_one("#space", TextArea).text.startswith("\n")
        await pilot.press("escape")
        assert pilot.app.focused is screen.query_one("#trials")
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, AskScreen), "the question")
        await pilot.press("n")
        assert pilot.app.screen is screen
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, AskScreen), "the question")
        await pilot.press("y")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, LaunchScreen), "Launch")
        await open_dialog(pilot)
        await pilot.press("escape")  # nothing is lost
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, LaunchScreen), "Launch")
    assert not absent_store.db.exists()


async def test_fitted_models_are_left_out_with_a_sentence(absent_store: StoreLocation) -> None:
    markov = ("markov", "synthetic", 50)
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot, [*BOTH, markov])
        facts = said(screen, "facts")
        assert "SASRec, GRU4Rec\n" in facts
        assert "markov is fitted, not trained: it tries" in " ".join(facts.split())
        assert "markov" not in screen.query_one("#space", TextArea).text
        await pilot.press("escape")
        launch = pilot.app.screen
        assert isinstance(launch, LaunchScreen)
        launch.grid.select([markov])
        await settled(pilot)
        await pilot.press("t")
        await settled(pilot)
        assert pilot.app.screen is launch
        assert told(pilot)[0].startswith("markov is fitted, not trained: it tries its settings")


async def test_one_data_set_and_one_length_are_chosen_among_those_selected(
    absent_store: StoreLocation,
) -> None:
    cells = [
        ("sasrec", "synthetic", 50), ("sasrec", "synthetic", 75), ("xlstm", "synthetic", 75),
        ("xlstm", "ml-100k", 75),
    ]  # fmt: skip
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot, cells)
        name = screen.query_one("#name", Input)
        assert name.placeholder == "sasrec-synthetic-l50"  # the cell under the cursor
        await type_into(pilot, screen, length="75")
        assert name.placeholder == "sasrec-xlstm-synthetic-l75"
        await type_into(pilot, screen, length="50", dataset="ml-100k")
        assert said(screen) == "None of the models is selected on ml-100k at length 50."
        await type_into(pilot, screen, length="75", dataset="synthetic")
        await begin(pilot)
    assert [(each.model, each.length) for each in begun(absent_store)] == [
        ("sasrec", 75), ("xlstm", 75),
    ]  # fmt: skip


async def test_without_optuna_only_a_grid_can_be_tried(
    absent_store: StoreLocation, no_optuna: None
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot, BOTH[1:])
        assert "pip install 'seqbench[tune]'" in said(screen)
        await type_into(pilot, screen, sampler="grid", space="sasrec:\n  dim: [8, 16]")
        assert said(screen) == ""
        await begin(pilot)
    assert len(begun(absent_store)) == 1


async def test_data_that_is_not_here_is_fetched_first(
    absent_store: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot, [("sasrec", "ml-100k", 50)])
        assert str(screen.query_one("#begin").label) == "^s  Fetch data"  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, FetchScreen), "the offer")
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.screen is screen
    assert not absent_store.db.exists()


async def test_data_that_cannot_be_fetched_is_said(
    absent_store: StoreLocation, tmp_path: Path
) -> None:
    entries = tmp_path / "mine" / "datasets"
    entries.mkdir(parents=True)
    (entries / "own.yaml").write_text(
        "name: own\ntitle: Own\nsize: small\nreader: movielens-tab\nusers: 9\nitems: 9\n"
        "interactions: 90\nfolder: own\nfiles: {u.data: null}\n"
    )
    app = SeqbenchApp(absent_store, tmp_path / "mine")
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot, [("sasrec", "own", 50)])
        assert said(screen) == "own isn't on this machine: put its files under SEQBENCH_DATA."


async def test_it_begins_with_the_defaults_of_the_command_and_a_name_that_is_free(
    absent_store: StoreLocation,
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await open_dialog(pilot)
        await begin(pilot)
        trial, _ = begun(absent_store)
        assert trial.trial is not None
        study = trial.trial.study
        assert (study.trials, study.final_seeds, study.seed) == (TRIALS, FINAL_SEEDS, 1)
        assert (study.sampler, study.prune, study.minutes) == ("tpe", "none", None)
        assert study.name == "sasrec-gru4rec-synthetic-l50"
        await pilot.press("1")
        screen = await open_dialog(pilot)
        taken = study.name
        assert screen.query_one("#name", Input).placeholder == f"{taken}-2"
        await type_into(pilot, screen, name=taken)
        assert said(screen) == f"There is a study '{taken}' already: choose another name."

        def refuse(*_: object) -> str:
            raise UserError("There is one by now.")

        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr("tui.launch.tuning.screen.begin_planned", refuse)
            await type_into(pilot, screen, name="other")
            await pilot.press("ctrl+s")
            await wait_for(pilot, lambda: said(screen) == "There is one by now.", "the refusal")
        await type_into(pilot, screen, name="another")
        await begin(pilot)
    with closing(connect_reader(absent_store)) as con:
        assert sorted(study_names(con)) == ["another", taken]


async def test_a_model_of_ones_own_is_tuned_as_its_file_is_then(
    absent_store: StoreLocation, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    file = tmp_path / "models" / "mine.py"
    text = (
        "from torch import nn\n"
        "from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel\n"
        "class Settings(ModelSettings):\n"
        "    width: int = 8\n"
        "class Mine(SequenceModel):\n"
        "    def __init__(self, settings, num_items, length):\n"
        "        super().__init__()\n"
        "        self.items = nn.Embedding(num_items + 1, settings.width)\n"
        "    def hidden(self, items, *, last_only=False):\n"
        "        return self.items(items[:, -1:] if last_only else items)\n"
        "    def output_layer(self):\n"
        "        return OutputLayer(self.items.weight)\n"
        "MODEL = Definition('Mine', Settings, Mine)\n"
    )
    file.write_text(text)
    cell = ("mine", "synthetic", 50)
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot, [cell])
        assert screen.query_one("#space", TextArea).text == "mine: {}"
        assert said(screen).startswith("space:1: mine: write what is tried of its settings")
        await type_into(pilot, screen, space="mine:\n  width: [4]")
        assert said(screen) == ""
        await type_into(pilot, screen, space="mine: {}")
        await pilot.press("escape")
        file.write_text(
            text.replace("Settings, Mine)", "Settings, Mine, space={'width': [4, 16]})")
        )
        screen = await open_dialog(pilot, [cell])
        assert "width: [4, 16]" in screen.query_one("#space", TextArea).text
        await begin(pilot)
    (trial,) = begun(absent_store)
    assert trial.trial is not None
    assert trial.trial.study.models[0].space == {"width": (4, 16)}
