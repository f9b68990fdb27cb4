"""What no code of ours may do, and what no file of ours may let others do."""

from __future__ import annotations

import ast
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import engine

ROOT = Path(engine.__file__).parent.parent
NEEDED = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
}
BANNED = {
    "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell", "pickle.load", "pickle.loads", "pickle.Unpickler",
    "shelve.open", "marshal.load", "marshal.loads", "joblib.load", "pd.read_pickle",
    "pandas.read_pickle", "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load",
    "tempfile.mktemp", "eval", "exec",
}  # fmt: skip


def wrongs(source: str) -> list[str]:
    """Calls in ``source`` that could run what a file, a name or a setting says."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if name in BANNED:
            found.append(f"line {node.lineno}: {name}")
        if name in NEEDED and given.get(NEEDED[name][0]) != str(NEEDED[name][1]):
            found.append(f"line {node.lineno}: {name} without {NEEDED[name]}")
        if given.get("shell", "False") != "False":
            found.append(f"line {node.lineno}: {name} through a shell")
    return found


def test_no_file_name_or_setting_is_ever_run() -> None:
    folders = [ROOT / name for name in ("engine", "tui", "benchmarks", "tests")]
    paths = [path for folder in folders for path in folder.rglob("*.py")]
    ours = [path for path in paths if ".venv" not in path.parts]
    assert len(ours) > 100
    found = {str(path.relative_to(ROOT)): wrongs(path.read_text()) for path in ours}
    assert {name: calls for name, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "source",
    [
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "np.load(f)",
        "np.load(f, allow_pickle=True)",
        "subprocess.run('x', shell=True)",
        "subprocess.Popen(x, shell=y)",
        "os.system('x')",
        "yaml.load(text, yaml.Loader)",
        "pickle.loads(b'')",
    ],
)
def test_the_search_finds_what_it_looks_for(source: str) -> None:
    assert wrongs(source)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    """A folder with a small data set, in which a supervisor is ended with the test."""
    folder = tmp_path / "lab"
    data = folder / "data" / "tiny"
    data.mkdir(parents=True)
    lines = (f"{i % 20}\t{i * 7 % 31}\t3\t{i}\n" for i in range(600))
    (data / "u.data").write_text("".join(lines))
    entry = {
        "name": "tiny", "title": "Tiny", "size": "small", "reader": "movielens-tab",
        "users": 20, "items": 31, "interactions": 600, "folder": "tiny", "files": {"u.data": None},
    }  # fmt: skip
    layer = folder / "configs" / "datasets"
    layer.mkdir(parents=True)
    (layer / "tiny.yaml").write_text(yaml.safe_dump(entry))
    yield folder
    lock = folder / "made" / "runs" / "supervisor.lock"
    if lock.exists():
        os.kill(int(json.loads(lock.read_text())["pid"]), signal.SIGTERM)


def test_what_real_processes_write_is_the_users_alone(lab: Path) -> None:
    made = lab / "made"
    made.mkdir()
    environment = os.environ | {
        "SEQBENCH_DB": str(made / "runs.db"),
        "SEQBENCH_CACHE": str(made / "cache"),
        "SEQBENCH_DATA": str(lab / "data"),
        "SEQBENCH_CONFIG": str(lab / "configs"),
    }
    words = "run --model sasrec --dataset tiny --length 8 --set dim=8 --set epochs=2 --wait"
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", *words.split()],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        umask=0,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    paths = [path for path in made.rglob("*") if path.exists()]
    names = {path.name for path in paths}
    assert names >= {
        "runs.db", "runs.db-wal", "runs.db-shm", "runs", "store.lock", "supervisor.lock",
        "supervisor.log", "spec.json", "meta.json", "journal-1.jsonl", "checkpoint-1.pt",
        "log.txt", "model.pt", "test_ranks.npy", "attempt.lock", "cache", "prepared", "tiny.lock",
    }  # fmt: skip
    for path in paths:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path} is {mode:o}"
