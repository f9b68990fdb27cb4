"""Commands in surroundings of their own, which Linux's namespaces make without root."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import pytest

ANOTHER = 54321
"""A uid that the system has no name for."""


def as_another_user(*command: str) -> list[str]:
    """Run as a user whom the system doesn't know, to whom this user's files belong, with no
    rights beyond those; skip the test where it can't be done."""
    return [*_unshared("--user", f"--map-user={ANOTHER}", f"--map-group={ANOTHER}"), *command]


def mounting(source: Path, on: Path, *command: str) -> list[str]:
    """Run with one file mounted on another; skip the test where it can't be done."""
    both = 'mount --bind "$0" "$1" && shift && exec "$@"'
    unshared = _unshared("--user", "--map-root-user", "--mount")
    return [*unshared, "sh", "-c", both, str(source), str(on), *command]


def _unshared(*options: str) -> list[str]:
    command = ["unshare", *options]
    if not _works(tuple(command)):
        pytest.skip("no user namespaces can be made here")
    return command


@cache
def _works(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
