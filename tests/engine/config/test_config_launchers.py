"""Settings of a launcher that are each in order, and together can't be meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import load_launchers
from engine.config.launchers import limit_seconds
from engine.errors import ConfigError


def profile(folder: Path, text: str) -> Path:
    (folder / "launchers").mkdir(exist_ok=True)
    (folder / "launchers" / "mine.yaml").write_text(f"name: mine\nkind: slurm\n{text}\n")
    return folder


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time: 5\nwarn_seconds: 600", "time is 300 s and warn_seconds 600"),
        ("time: 0:05:00\nwarn_seconds: 300", "time is 300 s and warn_seconds 300"),
        ("time: 1", "time is 60 s and warn_seconds 60: a job would be warned of its end before"),
        ("time: 4:00", "time: 4:00 could be hours or minutes: write H:MM:SS."),
        ("time: '4:00'", "time: 4:00 could be hours or minutes: write H:MM:SS."),
        ("time: 1:2:3:4", "expected minutes, H:MM:SS or D-HH:MM:SS."),
        ("time: 1-", "expected minutes, H:MM:SS or D-HH:MM:SS."),
        ("time: -5", "expected minutes, H:MM:SS or D-HH:MM:SS."),
        ("time: 0:99:00", "expected minutes, H:MM:SS or D-HH:MM:SS."),
        ("time: 1-30", "1-30 has more than 23 hours in addition to its days."),
        ("time: 1.5", "expected"),
        ("time: true", "expected"),
        ("gpu_type: a100", "gpu_type says which GPUs, but none are requested: set gpus."),
        ("time: 60\noptions: [--time=10]", "--time in options contradicts time"),
        ("options: [--cpus-per-task=8]", "--cpus-per-task in options contradicts cpus"),
        ("gpus: 1\noptions: [--gres=gpu:2]", "--gres in options contradicts gpus"),
    ],
)
def test_what_can_t_be_meant_is_refused_in_one_sentence(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_launchers(profile(tmp_path, text))
    assert says in str(caught.value)
    assert "mine.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "time: 90",
        "time: 4:00:00",
        "time: 1-12\nwarn_seconds: 3600",
        "time: 0\nwarn_seconds: 600",
        "time: 0:05:00\nwarn_seconds: 299",
        "options: [--time=10, --gres=gpu:2]",
        "gpus: 2\ngpu_type: a100",
    ],
)
def test_what_can_be_meant_is_taken(tmp_path: Path, text: str) -> None:
    assert "mine" in load_launchers(profile(tmp_path, text))


@given(
    days=st.integers(0, 400),
    hours=st.integers(0, 23),
    minutes=st.integers(0, 59),
    seconds=st.integers(0, 59),
)
def test_every_way_to_write_a_time_is_the_same_time(
    days: int, hours: int, minutes: int, seconds: int
) -> None:
    whole = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    assert limit_seconds(f"{days}-{hours:02}:{minutes:02}:{seconds:02}") == whole
    assert limit_seconds(f"{24 * days + hours}:{minutes:02}:{seconds:02}") == whole
    assert limit_seconds(f"{days}-{hours}:{minutes:02}") == whole - seconds
    assert limit_seconds(f"{days}-{hours}") == whole - seconds - 60 * minutes
    assert limit_seconds((whole - seconds) // 60) == whole - seconds


@given(st.text("0123456789:-.", max_size=12))
def test_any_text_is_a_time_or_a_sentence(text: str) -> None:
    try:
        said = f"{limit_seconds(text)} s."
    except ValueError as error:
        said = str(error)
    assert said.endswith(".")
    assert not said.startswith("-")
