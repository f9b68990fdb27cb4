"""A signal that comes at any moment ends a wait, and never keeps it for ever."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from engine.supervisor.stop import Stop

AT_EVERY_MOMENT = """
import signal, sys
from engine.supervisor.stop import Stop

def interrupted(moment):
    '''Wait, and be told to end before the instruction of this number; whether there is one.'''
    stop, seen = Stop(), 0
    signal.signal(signal.SIGUSR1, lambda *_: stop.set())
    def trace(frame, event, _):
        nonlocal seen
        frame.f_trace_opcodes = True
        if event == "opcode":
            seen += 1
            if seen == moment:
                sys.settrace(None)
                signal.raise_signal(signal.SIGUSR1)
        return trace
    sys.settrace(trace)
    stop.wait(0.001)
    sys.settrace(None)
    assert stop.is_set() == (seen == moment), moment
    return seen == moment

moments = 1
while interrupted(moments):
    moments += 1
print(moments)
"""


def test_a_signal_at_any_instruction_of_a_wait_is_heard() -> None:
    command = [sys.executable, "-c", AT_EVERY_MOMENT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


def test_a_wait_ends_with_the_wish_and_stays_ended() -> None:
    stop = Stop()
    stop.wait(0)
    assert not stop.is_set()
    before = signal.signal(signal.SIGALRM, lambda *_: stop.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        began = time.monotonic()
        stop.wait(60)
        assert time.monotonic() - began < 30
    finally:
        signal.signal(signal.SIGALRM, before)
    assert stop.is_set()
    stop.wait(60)
    assert stop.is_set()
