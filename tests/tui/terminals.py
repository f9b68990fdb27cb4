"""Programs on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from picture import Picture, steady

ROOT = Path(__file__).parents[2]
DEADLINE = 100.0
"""Seconds; what takes longer hangs, whatever else the machine has to do."""

RUNNABLE = b"RD"
"""States of a thread that goes on, or would if a processor or a disk were free."""

APP = (sys.executable, "-X", "faulthandler", "-m", "tui.cli", "--db")


class Terminal:
    """A terminal with a program in it, the leader of its session.

    Nothing is read, and so nothing leaves the kernel's buffer, but in the methods that say so.
    """

    def __init__(
        self,
        command: Iterable[str | Path],
        environment: dict[str, str] | None = None,
        size: tuple[int, int] = (80, 24),
    ) -> None:
        self.master, self._slave = pty.openpty()
        self.picture = Picture(*size)
        self._set_size(*size)
        self.found = self.attributes()
        clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [str(word) for word in command],
            cwd=ROOT,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env=clean | {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)} | (environment or {}),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.output = b""

    def attributes(self) -> list[Any]:
        """The terminal's settings, as ``stty`` sees them."""
        return termios.tcgetattr(self.master)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def resize(self, width: int, height: int) -> None:
        self.picture.resize(width, height)
        self._set_size(width, height)

    def _set_size(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds: float = 0.05) -> bool:
        """What came until now, or within so much time; whether anything did."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65_536)
        except OSError:
            return False
        self.output += data
        self.picture.feed(data)
        return True

    def read_until(self, condition: Callable[[], object], what: str) -> None:
        """Read on until it holds."""
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"{what}, in vain:\n{self.picture.text}"
            self.read()

    def shows(self, *words: str) -> None:
        """Read until all of that is on the screen."""
        self.read_until(
            lambda: all(word in self.picture.text for word in words), f"waited for {words}"
        )

    def shown(self) -> list[str]:
        """The picture, without the machine's load of this moment."""
        return steady(self.picture.text.splitlines())

    def still(self) -> list[str]:
        """The same once nothing has been drawn for a while, and nothing waits for a processor."""
        while self.read(0.5) or any(works(pid) for pid in self._processes()):
            pass
        return self.shown()

    def _processes(self) -> list[int]:
        """The program and all that it started."""
        program = psutil.Process(self.process.pid)
        return [program.pid, *(child.pid for child in program.children(recursive=True))]

    def read_to_end(self) -> int:
        """Read until the program has ended, and everything that it had written; its status."""
        self.read_until(lambda: self.process.poll() is not None, "waited for the end")
        while self.read():
            pass
        return self.process.returncode

    def stall(self) -> None:
        """Have it draw, and read nothing, until it waits for the terminal: no more can be written,
        and the main thread waits for the writer instead of for events."""
        main = Path(f"/proc/{self.process.pid}/wchan")
        poll = select.poll()
        poll.register(self._slave, select.POLLOUT)
        end = time.monotonic() + DEADLINE
        columns, lines = self.picture.width, self.picture.height
        wider = 0
        while poll.poll(0) or "futex" not in main.read_text():
            assert time.monotonic() < end, f"it never waited: {main.read_text()}"
            wider = 1 - wider
            self._set_size(columns + wider, lines)
            time.sleep(0.05)  # sizes that come faster than pictures are drawn give no picture

    def hang_up(self) -> None:
        """As when the window is closed or the connection breaks."""
        self.close_slave()
        os.close(self.master)
        self.master = -1

    def close_slave(self) -> None:
        if self._slave >= 0:
            os.close(self._slave)
            self._slave = -1

    def end(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.close_slave()
        if self.master >= 0:
            os.close(self.master)

    def assert_put_right(self) -> None:
        """The terminal is as the program found it."""
        assert self.attributes() == self.found
        assert self.picture.left_on() == []
        assert b"Traceback" not in self.output


def works(pid: int) -> bool:
    """Whether a process has a thread that doesn't sleep."""
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
        for thread in Path(f"/proc/{pid}/task").iterdir():
            state = (thread / "stat").read_bytes().rpartition(b") ")[2][:1]
            if state in RUNNABLE:
                return True
    return False
