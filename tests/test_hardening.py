"""What no code of ours may do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

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


def dotted(called: ast.expr) -> str:
    """``os.system``; of what is no name at its root, the names that follow."""
    if isinstance(called, ast.Attribute):
        return f"{dotted(called.value)}.{called.attr}"
    return called.id if isinstance(called, ast.Name) else ""


def wrongs(source: str) -> list[str]:
    """Calls in ``source`` that could run what a file, a name or a setting says."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        given = {
            keyword.arg: ast.unparse(keyword.value)
            for keyword in node.keywords
            if keyword.arg in ("weights_only", "allow_pickle", "shell")
        }
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


OURS = {
    "engine/files/atomic.py", "engine/datasets/digests.py", "engine/datasets/download.py",
    "engine/datasets/locate.py", "engine/datasets/own.py", "engine/datasets/prepared.py",
    "engine/datasets/unpack.py", "engine/interchange/continued.py", "engine/interchange/history.py",
    "engine/inbox.py", "engine/judge/kept.py",
    "engine/machine/priority.py", "engine/modelinfo/copies.py", "engine/modelinfo/kept.py",
    "engine/models/describe.py", "engine/results/evaluations.py", "engine/results/files.py",
    "engine/rungs.py", "engine/specfile.py",
    "engine/store/intake/code.py", "engine/store/intake/folders.py",
    "engine/supervisor/logs.py", "engine/supervisor/sessions.py",
    "engine/supervisor/slurm/jobfile.py", "engine/supervisor/slurm/launcher.py",
    "engine/supervisor/slurm/pilots.py", "engine/supervisor/slurm/probe.py",
    "engine/training/checkpoint.py", "engine/worker/attempt.py",
    "engine/worker/probe.py", "engine/worker/resident/output.py", "tui/shell/remembered.py",
}  # fmt: skip
"""Modules that write files of ours: into the store, run folders, caches, the user's memory;
and into the kernel's."""

WRITING = {"write_atomically", "atomic_file", "write_text", "write_bytes", "to_csv"}


def writes(source: str) -> list[str]:
    """Calls in ``source`` that put a file where the user may have said to."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = dotted(node.func).rpartition(".")[2]
            modes = [a.value for a in node.args if isinstance(a, ast.Constant)]
            opens = name == "open" and any(set(str(mode)) & set("wax+") for mode in modes)
            if name in WRITING or opens:
                found.append(f"line {node.lineno}: {name}")
    return found


def test_only_what_is_ours_is_written_without_regard_to_what_is_there() -> None:
    """What a user names goes through `engine.files.named`."""
    found = {}
    for folder in ("engine", "tui"):
        for path in (ROOT / folder).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if name not in OURS and (calls := writes(path.read_text())):
                found[name] = calls
    assert found == {}
    assert writes("path.write_text(x)")
    assert writes("path.open('wb')")
    assert writes("write_atomically(path, x)")
    assert not writes("path.open('rb')")
