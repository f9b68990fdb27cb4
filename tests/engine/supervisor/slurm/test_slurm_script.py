"""The batch script: what a shell and Slurm make of it, whatever stands in a profile."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.config import SlurmProfile
from engine.runfolder import RunFolder
from engine.supervisor.slurm.script import (
    attempt_script,
    batch_script,
    job_environment,
    job_name,
    worker_command,
)

SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
names = st.from_regex(r"V_[A-Z0-9_]{1,8}", fullmatch=True)


def profile(**keys: object) -> SlurmProfile:
    return SlurmProfile.model_validate({"name": "low", "kind": "slurm"} | keys)


def directives(script: str) -> list[str]:
    return [x.removeprefix("#SBATCH ") for x in script.splitlines() if x.startswith("#SBATCH")]


def played(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script by bash, with an srun that runs its command here."""
    srun = folder / "srun"
    srun.write_text('#!/bin/bash\nwhile [[ $1 == --* ]]; do shift; done\nexec "$@"\n')
    srun.chmod(0o755)
    surroundings = {"PATH": f"{folder}:/usr/bin:/bin", "PYTHONPATH": "/before"}
    return subprocess.run(
        ["bash", "-s"],
        input=script,
        text=True,
        capture_output=True,
        env=surroundings,
        cwd=folder,
        check=False,
    )


def test_all_keys_of_a_profile_come_to_slurm() -> None:
    script = batch_script(
        profile(
            partition="a,b",
            account="lab",
            qos="long",
            constraint="a100|h100",
            reservation="mine",
            time="1-00:00:00",
            memory="16G",
            cpus=6,
            gpus=2,
            gpu_type="a100",
            warn_seconds=90,
            options=("--exclusive",),
        ),
        ["worker"],
        {},
    )
    assert directives(script) == [
        *("--no-requeue", "--nodes=1", "--ntasks=1", "--partition=a,b", "--account=lab"),
        *("--qos=long", "--constraint=a100|h100", "--reservation=mine", "--time=1-00:00:00"),
        *("--mem=16G", "--gres=gpu:a100:2", "--cpus-per-task=6", "--signal=USR2@90"),
        "--exclusive",
    ]
    assert script.splitlines()[-1] == "srun --ntasks=1 --cpus-per-task=6 worker"


def test_a_part_of_a_gpu_is_a_shard(tmp_path: Path) -> None:
    sharded = profile(shards=2)
    assert "--gres=shard:2" in directives(batch_script(sharded, ["worker"], {}))
    assert "cuda" in worker_command(sharded, RunFolder(tmp_path), 1)
    assert "cpu" in worker_command(profile(), RunFolder(tmp_path), 1)


def test_slurm_alone_says_which_gpus_a_job_sees(tmp_path: Path) -> None:
    script = attempt_script(profile(gpus=1), RunFolder(tmp_path / "run"), 1)
    assert "CUDA_VISIBLE_DEVICES" not in script


@settings(max_examples=25)
@given(
    arguments=st.lists(lines, max_size=3),
    environment=st.dictionaries(names, lines, max_size=3),
    setup=st.lists(lines, max_size=3),
    code=lines,
)
def test_whatever_is_quoted_comes_out_as_it_went_in(
    arguments: list[str], environment: dict[str, str], setup: list[str], code: str
) -> None:
    harmless = tuple(f"true # {line}" for line in setup)
    command = [sys.executable, "-S", "-E", "-c", SHOW, *arguments]
    script = batch_script(profile(setup=harmless), command, environment, Path("/") / code)
    with tempfile.TemporaryDirectory() as folder:
        done = played(script, Path(folder))
    assert done.returncode == 0, done.stderr
    seen, variables = json.loads(done.stdout)
    assert seen == arguments
    assert environment.items() <= variables.items()
    assert variables["PYTHONPATH"] == f"{Path('/') / code}:/before"


@settings(max_examples=25)
@given(line=lines.filter(lambda line: "/" not in line))
def test_no_line_of_setup_changes_what_comes_after(line: str) -> None:
    quiet = profile(setup=(f": {line}",))
    with tempfile.TemporaryDirectory() as folder:
        marker = Path(folder) / "ran"
        done = played(batch_script(quiet, ["touch", str(marker)], {}), Path(folder))
        failed = done.returncode != 0
        assert failed != marker.exists()
        assert not failed or "setup failed" in done.stderr


def test_a_line_of_setup_that_fails_ends_the_job_and_is_named(tmp_path: Path) -> None:
    script = batch_script(profile(setup=("export A=1", "false")), ["touch", "ran"], {})
    done = played(script, tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == "This line of setup failed: false"


def test_setup_makes_the_environment_that_the_worker_has(tmp_path: Path) -> None:
    command = [sys.executable, "-S", "-E", "-c", SHOW]
    chosen = profile(setup=("export FROM_SETUP=$((40 + 2))",), environment={"OMP_NUM_THREADS": "3"})
    done = played(batch_script(chosen, command, job_environment(chosen)), tmp_path)
    _, variables = json.loads(done.stdout)
    assert variables["FROM_SETUP"] == "42"
    assert variables["OMP_NUM_THREADS"] == "3"
    assert variables["SEQBENCH_CACHE"] == str(tmp_path / "cache")


def test_a_job_is_known_by_where_its_run_lies(tmp_path: Path) -> None:
    one, two = (RunFolder(tmp_path / lab / "runs" / "a-run") for lab in ("one", "two"))
    assert job_name(one, 3).endswith("/a-run/3")
    assert job_name(one, 3) != job_name(two, 3)
    assert job_name(one, 3) == job_name(RunFolder(tmp_path / "one" / "runs" / "a-run"), 3)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"partition": "a b"}, "matches"),
        ({"account": "x;rm"}, "matches"),
        ({"time": "soon"}, "H:MM:SS"),
        ({"memory": "8 GB"}, "8G"),
        ({"options": ("exclusive",)}, "--name"),
        ({"options": ("--wrap=ls",)}, "set by seqbench"),
        ({"options": ("--requeue",)}, "set by seqbench"),
        ({"options": ("--comment='a'",)}, "without spaces"),
        ({"setup": ("a\nb",)}, "matches"),
        ({"environment": {"A-B": "1"}}, "variable"),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "0"}}, "Slurm's"),
        ({"gpus": 1, "shards": 1}, "exclude each other"),
        ({"jobs": 0}, "at least 1"),
        ({"partiton": "x"}, "did you mean 'partition'"),
        ({"name": "local"}, "this machine"),
    ],
)
def test_a_mistake_in_a_profile_is_one_sentence_with_its_line(
    tmp_path: Path, keys: dict[str, object], says: str
) -> None:
    import yaml

    from engine.config import load_catalogue
    from engine.errors import ConfigError

    (tmp_path / "launchers").mkdir()
    content = {"name": "mine", "kind": "slurm"} | keys
    text = yaml.safe_dump({k: list(v) if isinstance(v, tuple) else v for k, v in content.items()})
    (tmp_path / "launchers" / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_catalogue(tmp_path)
    assert says in str(caught.value)
    assert "mine.yaml:" in str(caught.value)


STORED = """\
#!/bin/bash
#SBATCH --no-requeue
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --signal=USR2@60
export SEQBENCH_CACHE={folder}
export OMP_NUM_THREADS=2
export PYTHONPATH={code}"${{PYTHONPATH:+:$PYTHONPATH}}"
srun --ntasks=1 --cpus-per-task=2 {python} -P -m engine.worker {folder} --attempt 1 --device cpu \
--threads 2 --lock-seconds 60
"""
"""As ``job-1.sh`` was when the supervisor's modules lay in ``engine/scheduling/``."""


def test_a_job_that_was_queued_before_an_upgrade_starts_its_worker(tmp_path: Path) -> None:
    (tmp_path / "journal-1.jsonl").touch()  # it has had its turn, so that nothing is trained
    code = Path(engine.__file__).parents[1]
    done = played(STORED.format(folder=tmp_path, python=sys.executable, code=code), tmp_path)
    assert (done.returncode, done.stderr) == (0, "attempt 1 has had its turn; nothing to do\n")
