"""The app over a real SSH connection that is cut, or that stalls: a server of the test's own, on
this machine, with keys and configuration in a temporary folder."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from background import Background, processes, wait_for
from terminals import APP, DEADLINE, ROOT, Terminal

from engine.process import identify

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(
    not (SSHD and shutil.which("ssh") and shutil.which("ssh-keygen")),
    reason="ssh or sshd is not installed",
)

CONFIGURATION = """
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
"""


class Server:
    """An SSH server that only this user's new key opens."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        for name in ("host_key", "user_key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
            )
        configuration = folder / "sshd_config"
        configuration.write_text(CONFIGURATION.format(folder=folder))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # it doesn't start without
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        assert SSHD is not None
        with (folder / "sshd.log").open("wb") as log:
            self.process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", configuration, "-p", str(self.port)], stderr=log
            )
        wait_for(lambda: self.listens() or self.process.poll() is not None, "sshd to listen")

    def listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def client(self, *command: str) -> list[str]:
        """The command that runs ``command`` over there."""
        return [
            *("ssh", "-F", "none", "-p", str(self.port), "-i", str(self.folder / "user_key")),
            *("-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"),
            *("-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}"),
            *("-o", "BatchMode=yes", f"{getpass.getuser()}@127.0.0.1", *command),
        ]

    def cut(self) -> None:
        """Kill what serves connections, and go on listening."""
        for pid in descendants(self.process.pid):
            with suppress(OSError):
                if b"sshd" in Path(f"/proc/{pid}/cmdline").read_bytes().partition(b" ")[0]:
                    os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        self.cut()
        self.process.kill()
        self.process.wait()


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "ssh")
    if subprocess.run(server.client("true"), check=False, timeout=DEADLINE).returncode != 0:
        server.end()
        pytest.skip(f"sshd lets no one in: {(server.folder / 'sshd.log').read_text()[-300:]}")
    yield server
    server.end()


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Background]:
    background = Background(tmp_path / "lab")
    yield background
    background.end()


def connect(server: Server, background: Background) -> Terminal:
    """Open the app over a connection of its own."""
    words = ("env", f"PYTHONPATH={ROOT}", *APP, str(background.location.db))
    options = ("--config-dir", str(background.configs))
    return Terminal([*server.client("-tt"), f"cd {ROOT}; exec {shlex.join((*words, *options))}"])


def apps(background: Background) -> list[int]:
    """Processes of the app, not of a client that was told to start it."""
    found = processes(b"tui.cli", str(background.location.db).encode())
    return [
        pid for pid in found
        if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(sys.executable.encode())
    ]  # fmt: skip


def shown_epoch(terminal: Terminal) -> int:
    """The epoch in the queue's row; 0 before there is one."""
    found = re.search(r"◐ sasrec.* (\d+)/100", terminal.picture.text)
    return int(found[1]) if found else 0


@pytest.mark.slow
def test_a_connection_that_is_cut_or_stalls_costs_nothing(
    server: Server, background: Background
) -> None:
    run = background.train()
    background.goes_on(run, 1)
    terminals = [connect(server, background)]
    try:
        (cut,) = terminals
        cut.type("2")
        cut.shows("sasrec · synthetic", "running")
        (app,) = apps(background)
        server.cut()
        assert cut.read_to_end() == 255
        assert cut.attributes() == cut.found  # ssh puts right what it can
        wait_for(lambda: identify(app) is None, "the app to end by itself")
        background.goes_on(run)

        terminals.append(stalled := connect(server, background))
        stalled.type("2")
        stalled.shows("sasrec · synthetic", "running")
        (app,) = apps(background)
        stalled.process.send_signal(signal.SIGSTOP)
        background.goes_on(run)

        terminals.append(again := connect(server, background))
        epoch = background.run(run).epoch or 0
        again.read_until(lambda: shown_epoch(again) >= epoch, f"waited for epoch {epoch}")
        again.type("q")
        again.shows("goes on")
        again.type("\r")
        assert again.read_to_end() == 0, again.output[-3000:]
        again.assert_put_right()

        # The stalled one is told to end, and its client wakes up
        os.kill(app, signal.SIGTERM)
        wait_for(lambda: identify(app) is None, "the app to end")
        stalled.process.send_signal(signal.SIGCONT)
        assert stalled.read_to_end() != 0
        stalled.assert_put_right()
        background.goes_on(run)
        assert background.run(run).attempt == 1
    finally:
        for terminal in terminals:
            terminal.end()
