"""A command does what it was asked to do though nobody can read its words, and says that."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from terminals import DEADLINE

from engine.store.connect import connect_writer
from engine.store.database import write
from engine.store.location import StoreLocation
from engine.store.queries import list_runs

ROOT = Path(__file__).parents[3]
LOST = "seqbench: the output is lost, because stdout can't be written ({}): make room "

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command as a process with such streams, in a folder with a table of interactions."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{i % 20},{i * 7 % 31},{i}" for i in range(300)]
    (tmp_path / "shop.csv").write_text("\n".join(["user,item,timestamp", *rows]) + "\n")

    def run(*words: str, **streams: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            [sys.executable, "-m", "tui.cli", *words],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            timeout=DEADLINE,
            check=False,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **streams},
        )

    return run


@pytest.fixture
def full(tmp_path: Path) -> Iterator[int]:
    """A device of the test's own that has no room."""
    if os.geteuid() != 0:
        pytest.skip("a device is made, which takes root")
    os.mknod(tmp_path / "full", 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    descriptor = os.open(tmp_path / "full", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe whose reader has seen enough."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("words", [["ls", "--json"], ["--help"], ["--version"], ["data", "ls"]])
def test_a_full_output_is_a_sentence(command: Command, full: int, words: list[str]) -> None:
    done = command(*words, stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(LOST.format("No space left on device"))
    assert "unexpected" not in done.stderr


def closed(*numbers: int) -> Callable[[], None]:
    return lambda: [os.close(number) for number in numbers]  # type: ignore[func-returns-value, return-value]


def test_a_closed_output_is_a_sentence(command: Command) -> None:
    done = command("ls", "--json", preexec_fn=closed(1))
    assert done.returncode == 1
    assert done.stderr.startswith(LOST.format("it is closed"))
    assert command("ls", preexec_fn=closed(1)).returncode == 0, "nothing was to be printed"
    assert command("ls", "--json", preexec_fn=closed(0, 1, 2)).returncode == 1
    assert command("ls", "--json", preexec_fn=closed(0, 2)).stdout == "[]\n"
    app = command(preexec_fn=closed(0, 1))
    assert (app.returncode, app.stderr.count("\n")) == (2, 1)
    assert "The app needs a terminal" in app.stderr


def test_no_file_of_ours_takes_the_place_of_a_closed_stream(command: Command) -> None:
    """Whatever a library prints to stderr would go into the store."""
    done = command("data", "import", "shop.csv", "--name", "shop", preexec_fn=closed(0, 1, 2))
    assert done.returncode == 1
    assert Path("configs/datasets/shop.yaml").read_text().startswith("name: shop")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_is_asked_for_is_done_though_nobody_reads(
    command: Command, unread: int, stream: str
) -> None:
    words = ("data", "import", "shop.csv", "--name", "shop")
    done = command(*words, **{stream: unread})
    assert done.returncode == (1 if stream == "stdout" else 0)
    assert Path("configs/datasets/shop.yaml").exists()
    assert not done.stderr or done.stderr.endswith("shop.yaml\n")
    done = command("data", "derive", "shop", "--name", "few", "--k-core", "2", **{stream: unread})
    assert Path("configs/datasets/few.yaml").exists()
    done = command("suite", "save", "s", "--model", "sasrec", "--dataset", "shop", stdout=unread)
    assert Path("configs/suites/s.yaml").exists()


def test_every_run_is_queued_though_nobody_reads(
    command: Command, held: StoreLocation, unread: int
) -> None:
    words = ("--model", "sasrec", "--dataset", "synthetic", "--seed", "1-3")
    done = command("run", *words, stdout=unread, stderr=unread)
    assert done.returncode == 1
    with closing(connect_writer(held)) as connection, write(connection):
        runs = [run.id for run in list_runs(connection)]
        connection.execute("UPDATE runs SET state = 'failed'")
    assert len(runs) == 3
    command("retry", *runs, "--set", "epochs=3", stdout=unread)
    with closing(connect_writer(held)) as connection:
        assert len(list_runs(connection, ["queued"])) == 3


def test_what_goes_on_for_long_ends_once_nobody_reads(
    command: Command, held: StoreLocation, unread: int
) -> None:
    command("run", "--model", "sasrec", "--dataset", "synthetic")
    assert command("watch", stdout=unread).returncode == 1


def test_a_pipe_that_is_set_not_to_wait(command: Command) -> None:
    """As some programs leave it that share it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", "models", "--all", "--json"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        got = pipe.read()
    assert process.communicate(timeout=DEADLINE)[1] == b""
    assert process.returncode == 0
    assert got.endswith(b"]\n")
    assert len(got) > 4096


def test_letters_that_the_output_does_not_know(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("configs/suites").mkdir(parents=True)
    suite = "name: s\ntitle: é × \U0001f600\nmodels: [sasrec]\ndatasets: [synthetic]\n"
    Path("configs/suites/s.yaml").write_text(suite + "lengths: [20]\nseeds: [1]\n")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    done = command("suite", "ls", text=None, encoding="latin-1")
    assert done.returncode == 0
    assert "é × ?" in done.stdout


HALF = """
import signal
from pathlib import Path
from engine.files.named import named_file
from tui.cli import main

def half(**_):
    with named_file(Path("out.csv")) as file:
        file.write(b"half")
        print("begun", flush=True)
        signal.pause()

main.seqbench = half
main.main()
"""
"""A command that is in the middle of writing a file."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_a_signal_ends_leaves_nothing_half_written(
    tmp_path: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HALF],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        assert process.wait(DEADLINE) == 128 + number
    assert list(tmp_path.iterdir()) == []
