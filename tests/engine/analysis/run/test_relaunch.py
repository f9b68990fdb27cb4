"""Commands that launch several cells: few, and no cell that wasn't asked for."""

from __future__ import annotations

import shlex
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.run.relaunch import Launch, launch_commands

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
