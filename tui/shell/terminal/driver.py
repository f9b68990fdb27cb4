"""The driver of the terminal: left as it was found however the app ends, and never waited for when
the app has to end.

Textual's driver sets a terminal up and puts it back. What it lacks is here: signals that end the
process, a terminal that is read no more, one that is gone, and being stopped and continued as a job
of a shell.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import termios
import time
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, cast

from textual.app import App, ScreenStackError
from textual.drivers.linux_driver import LinuxDriver
from textual.events import InputEvent, Key, MouseUp, Paste
from textual.message import Message

from tui.shell.private import XTermParser, tell_failure, tell_resumed
from tui.shell.terminal.glyphs import to_ascii
from tui.shell.terminal.handled import handled
from tui.shell.terminal.traffic import Echo, Traffic

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
"""Signals that end the app at once: nothing in it is unsaved."""

LOOK_MILLISECONDS = 100
TRY_AGAIN_MILLISECONDS = 250

KEY_SECONDS = 2.0
"""Seconds that a key or click waits at most until the one before it has been handled."""

PING = "\x1b[5n"
PONG = "\x1b[0n"
"""A terminal's question for its status, and its answer."""

EVERY_MOVE = "\x1b[?1002l\x1b[?1003h"
DRAGS_ONLY = "\x1b[?1003l\x1b[?1002h"

LEAVE = (
    "\x18"  # ends a sequence that was cut short
    "\x1b[?2026l"  # show what is drawn at once
    "\x1b[?2004l"  # pasting
    "\x1b[?7h"  # wrapping of lines
    "\x1b[?2048l"  # reports of a new size
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1016l\x1b[?1006l"  # the mouse
    "\x1b[?1004l"  # reports of focus
    "\x1b[<u"  # Kitty's keyboard, which belongs to the alternate screen
    "\x1b[?1049l"  # the alternate screen
    "\x1b[?25h"  # the cursor
    "\x1b[0m"
)
"""Switches off, in one write, all that Textual switches on."""


class TerminalDriver(LinuxDriver):
    """Draws on, and reads from, the terminal that stdin is."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.traffic = Traffic()
        self.echo = Echo()
        ascii_only = getattr(app, "ascii_only", False)
        self._output = TerminalOutput(self.fileno, self.traffic, ascii_only)
        self._file = cast(Any, self._output)
        self._entered = False
        self._follows_mouse = True
        self._acts: asyncio.Queue[Message] = asyncio.Queue()
        self._passing = self._loop.create_task(self._pass_on())

    def flush(self) -> None:
        """Count a complete frame and hand it to the writer."""
        self.traffic.frames += 1
        super().flush()

    def ping(self, now: float) -> None:
        """Ask the terminal to answer once it has got what was sent before."""
        if self.echo.ask(now):
            self.write(PING)

    def follow_mouse(self, every_move: bool) -> None:
        """Have the terminal report every move of the mouse, or only those with a button down."""
        self._follows_mouse = every_move
        if self._mouse:
            self.write(EVERY_MOVE if every_move else DRAGS_ONLY)

    def _enable_mouse_support(self) -> None:
        super()._enable_mouse_support()
        if not self._follows_mouse:
            self.follow_mouse(False)

    # Entering and leaving

    def start_application_mode(self) -> None:
        """Set the terminal up; in the background wait to be brought to the front first."""
        for number in ENDING:
            signal.signal(number, self._end)
        with _stopped_like_others(), suppress(termios.error):
            # Changes nothing. The kernel stops a background job that tries it, and tries again for
            # it when it goes on.
            termios.tcsetattr(self.fileno, termios.TCSANOW, termios.tcgetattr(self.fileno))
        self._entered = True
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        """Put the terminal back, once what was drawn before is written."""
        self.echo.settle()
        self.disable_input()
        self._restore_attributes()
        self.write(LEAVE)

    def close(self) -> None:
        """Wait until all is written."""
        super().close()
        self._entered = False

    def _end(self, number: int, _frame: FrameType | None) -> None:
        """Put the terminal right without waiting for anyone, and die of the signal.

        Runs between any two instructions of the main thread, which may be waiting for the writer,
        so it takes no lock.
        """
        if self._entered:
            self._entered = False
            # Otherwise changing the terminal from the background would stop us.
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            self._output.abandon()
            self._restore_attributes()
            self._output.last_words(LEAVE)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _restore_attributes(self) -> None:
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)

    # Stopping and going on. The handlers only leave a note for the loop: they may have come in the
    # middle of a write.

    def _sigtstp_application(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop)

    def _sigcont_application(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._enter_again)

    def _stop(self) -> None:
        """Give the terminal back to the shell until it brings us to the front again."""
        self.suspend_application_mode()
        with _stopped_like_others():
            # The whole job: the shell waits for `make` too, if that started us. A job that no one
            # could wake (there is no shell) isn't stopped by the kernel.
            os.killpg(0, signal.SIGTSTP)
        self._enter()

    def _enter_again(self) -> None:
        """Set the terminal up again after a stop that came unasked: others may have used it."""
        if self._entered:
            self.suspend_application_mode()
            self._enter()

    def _enter(self) -> None:
        self.resume_application_mode()
        self._app.refresh(layout=True)
        tell_resumed(self._app)

    # Reading, and passing on what was read

    def run_input_thread(self) -> None:
        """Pass on what is typed, until the driver stops or the terminal is gone."""
        parser = XTermParser(self._debug)
        # What is no text, as when a binary file is pasted, is no reason to end.
        decode = getincrementaldecoder("utf-8")("replace").decode
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        while not self.exit_event.is_set():
            if poll.poll(LOOK_MILLISECONDS):
                try:
                    data = os.read(self.fileno, 4096)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                if not data:
                    # The kernel tells only the job in the foreground that the terminal is gone.
                    os.kill(os.getpid(), signal.SIGHUP)
                    return
                text = decode(data)
                if PONG in text:
                    self.echo.answered(time.monotonic())
                    text = text.replace(PONG, "")
                # Nothing is left of an answer, or there yet of a character: to the parser, an end.
                for event in parser.feed(text) if text else ():
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)

    def send_message(self, message: Message) -> None:
        """Give the app a message; what the user does, in its turn."""
        if isinstance(message, InputEvent | Paste):
            self._loop.call_soon_threadsafe(self._acts.put_nowait, message)
        else:
            super().send_message(message)

    async def _pass_on(self) -> None:
        """Give the app one key or click after the other.

        All keys of a packet would otherwise go to what has the focus when it comes: of ``/date``,
        ``d`` would be a key of the table, before ``/`` opens the field. And the second of two
        clicks would go to a list that the first has closed.
        """
        while True:
            message = await self._acts.get()
            self._app.post_message(message)
            if isinstance(message, Key | Paste | MouseUp):
                try:
                    async with asyncio.timeout(KEY_SECONDS):
                        await handled(self._app, message)
                except (TimeoutError, ScreenStackError):
                    pass  # the next key is tried all the same
                except Exception as error:  # noqa: BLE001 -- no key would be heard any more
                    tell_failure(self._app, error)


class TerminalOutput:
    """The file that Textual's writer thread writes to. The thread waits in `flush` for the terminal
    until `abandon` frees it."""

    def __init__(self, terminal: int, traffic: Traffic, ascii_only: bool = False) -> None:
        self._traffic = traffic
        self._encoding = "ascii" if ascii_only else sys.stdout.encoding
        self._ascii_only = ascii_only
        try:
            # Not waiting is a property of the open file, and ours may be the shell's as well: so
            # it is opened once more.
            flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
            self._descriptor = os.open(os.ttyname(terminal), flags)
        except OSError:  # another user's, as after `su`
            self._descriptor = os.dup(terminal)
        self._wake, self._waker = os.pipe()
        self._abandoned = False
        self._pending: list[str] = []

    def fileno(self) -> int:
        """Return the terminal's descriptor."""
        return self._descriptor

    def write(self, text: str) -> None:
        """Keep text for the next flush. For one thread."""
        self._pending.append(text)

    def flush(self) -> None:
        """Write the kept text as fast as the terminal takes it; drop it if the terminal is gone."""
        text = "".join(self._pending)
        self._pending.clear()
        if self._ascii_only:
            text = to_ascii(text)
        data = memoryview(text.encode(self._encoding, "backslashreplace"))
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        poll.register(self._wake, select.POLLIN)
        while data and not self._abandoned:
            try:
                written = os.write(self._descriptor, data)
                self._traffic.sent += written
                data = data[written:]
            except BlockingIOError:
                self._traffic.wait()
                # The kernel may make room later without saying so.
                poll.poll(TRY_AGAIN_MILLISECONDS)
                self._traffic.wait_no_longer()
            except OSError:
                self._abandoned = True

    def abandon(self) -> None:
        """Write nothing any more, and drop what waits. For any thread."""
        self._abandoned = True
        os.write(self._waker, b"x")

    def last_words(self, text: str) -> None:
        """Write at once, dropping what the terminal hasn't read yet if it takes no more."""
        data = text.encode()
        with suppress(OSError, termios.error):
            os.set_blocking(self._descriptor, False)
            try:
                written = os.write(self._descriptor, data)
            except BlockingIOError:
                written = 0
            if written < len(data):
                termios.tcflush(self._descriptor, termios.TCOFLUSH)
                os.write(self._descriptor, data)
        with suppress(OSError):
            os.set_blocking(self._descriptor, True)


@contextmanager
def _stopped_like_others() -> Iterator[None]:
    """Give the signals that stop and continue a job their default effect, for a while."""
    numbers = (signal.SIGTSTP, signal.SIGTTOU, signal.SIGCONT)
    handlers = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
