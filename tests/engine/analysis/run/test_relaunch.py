"""Commands that launch several cells: few, and no cell that wasn't asked for."""

from __future__ import annotations

import shlex
from itertools import product
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.run.relaunch import Launch, launch_commands, relaunch_command
from engine.config import load_catalogue
from engine.config.profiles import profile_of, save_profile
from engine.spec import ChosenBy

LAUNCHES = st.builds(
    Launch,
    dataset=st.sampled_from(["ml-100k", "ml-1m"]),
    profile=st.sampled_from(["reference", "tuned"]),
    settings=st.sampled_from([(), ("dim=32", "lr=0.002")]),
    length=st.sampled_from([50, 100]),
    model=st.sampled_from(["sasrec", "xlstm"]),
)


def launched(command: str) -> set[Launch]:
    words = shlex.split(command)
    assert words[:2] == ["seqbench", "run"]
    options = list(zip(words[2::2], words[3::2], strict=True))
    given = dict(options)
    assert given["--seed"] == "1,2,3"
    settings = tuple(value for name, value in options if name == "--set")
    return {
        Launch(given["--dataset"], given["--profile"], settings, int(length), model)
        for model, length in product(given["--model"].split(","), given["--length"].split(","))
    }


@given(st.lists(LAUNCHES))
def test_commands_launch_each_cell_once_and_no_other(launches: list[Launch]) -> None:
    found = [launched(command) for command in launch_commands(launches, (1, 2, 3))]
    assert sum(map(len, found)) == len(set().union(*found))
    assert set().union(*found) == set(launches)


def test_models_and_lengths_that_go_together_are_one_command() -> None:
    four = [Launch("ml-1m", "tuned", (), length, m) for m in "ab" for length in (50, 100)]
    assert launch_commands(four, (1, 2)) == [
        "seqbench run --model a,b --dataset ml-1m --length 50,100 --seed 1,2 --profile tuned"
    ]


def test_what_a_study_chose_is_launched_without_its_recipe_unless_that_was_kept(
    tmp_path: Path,
) -> None:
    catalogue = load_catalogue()
    changes = {"lr": 0.0123, "dim": 32}
    spec = catalogue.run_spec("sasrec", "ml-100k", 50, 2, overrides=changes).model_copy(
        update={
            "profile": "study-one",
            "chosen_by": ChosenBy(study="one", trials=9, seconds=1.0),
        }
    )
    command = relaunch_command(spec.model_dump(mode="json"), catalogue)
    assert "--profile reference" in command
    (launch,) = launched(command.replace("--seed 2", "--seed 1,2,3"))
    settings = dict(each.split("=") for each in launch.settings)
    again = catalogue.run_spec("sasrec", "ml-100k", 50, 2, "reference", settings)
    assert again.fingerprint() == spec.fingerprint()
    save_profile(catalogue, "sasrec", "study-one", profile_of(spec), tmp_path)
    kept = relaunch_command(spec.model_dump(mode="json"), load_catalogue(tmp_path))
    assert kept.endswith("--profile study-one")
