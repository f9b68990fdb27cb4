"""A process is known by more than its number."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from engine.process import identify, is_alive, own_identity


def test_this_process_is_alive() -> None:
    identity = own_identity()
    assert identity.pid == os.getpid()
    assert is_alive(identity)


def test_a_reused_pid_or_another_boot_is_another_process() -> None:
    identity = own_identity()
    assert not is_alive(replace(identity, start_ticks=identity.start_ticks - 1))
    assert not is_alive(replace(identity, boot_id="00000000-0000-0000-0000-000000000000"))


def test_a_zombie_and_a_reaped_child_are_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = identify(child.pid)
    assert identity is not None
    assert is_alive(identity)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, not reaped
    assert not is_alive(identity)
    child.communicate()
    assert not is_alive(identity)


def test_a_process_whose_name_is_no_text_is_known_too() -> None:
    rename = "open('/proc/self/comm', 'wb').write(b'\\xff) 1 (\\xfe'); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        identity = identify(child.pid)
        assert identity is not None
        assert is_alive(identity)
        child.kill()
