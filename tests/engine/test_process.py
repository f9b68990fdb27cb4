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
