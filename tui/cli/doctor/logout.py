"""Whether what runs in the background outlives a log-out: systemd can be set to kill it."""

from __future__ import annotations

import re
from pathlib import Path

FOLDERS = ("etc", "run", "usr/local/lib", "usr/lib", "lib")
"""Where systemd looks for ``systemd/logind.conf`` and for the files of ``logind.conf.d/`` beside
it. A file hides those of its name further on; of a setting in several files the last counts."""

RUNNING = Path("run/systemd/system")
"""There while systemd runs the machine."""

LINGER = Path("var/lib/systemd/linger")
"""Has a file for every user whose service manager stays when they log out."""


def logout_problem(user: str, cgroup: str, root: Path = Path("/")) -> tuple[str, str] | None:
    """What a log-out does to the background runs of a process, and the cure; ``None`` if nothing.

    Whatever a process starts stays in its control group. That of a log-in session is killed if
    logind is told so, whether the user lingers or not; that of the user's service manager ends
    with the last session, unless the user lingers.

    Args:
        user: the user's name.
        cgroup: the process's ``/proc/PID/cgroup``.
        root: where the machine's files are.
    """
    if not (root / RUNNING).is_dir():
        return None
    if re.search(r"/session-[^/\n]+\.scope", cgroup):
        if kills_user_processes(user, configuration_files(root)):
            return (
                "logind has KillUserProcesses=yes: it ends background runs when you log out",
                "`loginctl enable-linger` once, and start with `systemd-run --user --scope "
                "seqbench`.",
            )
    elif re.search(r"/user@\d+\.service", cgroup) and not (root / LINGER / user).exists():
        return (
            "background runs belong to your service manager, which ends when you log out",
            "`loginctl enable-linger` keeps it alive.",
        )
    return None


def configuration_files(root: Path) -> list[Path]:
    """logind's files in the order in which they are read."""
    homes = [root / folder / "systemd" for folder in FOLDERS]
    main = next((path for home in homes if (path := home / "logind.conf").is_file()), None)
    parts: dict[str, Path] = {}
    for home in homes:
        for path in home.glob("logind.conf.d/*.conf"):
            parts.setdefault(path.name, path)
    return [*([main] if main else []), *(parts[name] for name in sorted(parts))]


def kills_user_processes(user: str, files: list[Path]) -> bool:
    """Whether these files say so of this user. By default root is spared."""
    said = {"KillUserProcesses": "no", "KillOnlyUsers": "", "KillExcludeUsers": "root"}
    section = ""
    for path in files:
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = line
            key, equals, value = line.partition("=")
            if equals and section == "[Login]" and key.strip() in said:
                said[key.strip()] = value.strip()
    if said["KillUserProcesses"].lower() not in ("yes", "true", "1", "on", "y", "t"):
        return False
    only, spared = said["KillOnlyUsers"].split(), said["KillExcludeUsers"].split()
    return user not in spared and (not only or user in only)
