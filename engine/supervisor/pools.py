"""The pools of this machine and of each profile in ``configs/launchers/``.

Profiles are read again when a file changes, so that a supervisor that works for weeks follows what
its user corrects meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from engine.config import SlurmProfile, config_layers, load_launchers
from engine.errors import ConfigError
from engine.machine.slots import Slot
from engine.supervisor.launcher import Pool
from engine.supervisor.slurm.piloting import PilotLauncher
from engine.supervisor.slurm.script import most_at_once

log = logging.getLogger("seqbench")

Stamp = tuple[tuple[Path, int], ...]
"""The launchers' files, each with its time of change in nanoseconds."""


class Pools:
    """The pools that the supervisor starts runs in.

    Attributes:
        local: this machine's pool.
    """

    def __init__(self, local: Pool, config_dir: Path | None) -> None:
        self.local = local
        self._config_dir = config_dir
        self._stamp: Stamp | None = None
        self._launchers: dict[str, PilotLauncher] = {}

    def current(self) -> Mapping[str | None, Pool]:
        """Return the pools that are configured now, by the launcher's name; ``None`` is this
        machine. Profiles that can't be read leave the launchers as they were."""
        try:
            if (stamp := _stamp(self._config_dir)) != self._stamp:
                self._stamp = stamp
                self._configure(load_launchers(self._config_dir))
        except (ConfigError, OSError) as error:
            log.warning("%s The launchers stay as they were.", error)
        named = self._launchers.items()
        pools: dict[str | None, Pool] = {None: self.local}
        return pools | {name: Pool(each, slurm_slots(each.profile)) for name, each in named}

    def _configure(self, profiles: Mapping[str, SlurmProfile]) -> None:
        """Follow new profiles; a launcher that stays is kept, because it knows its jobs."""
        before, self._launchers = self._launchers, {}
        for name, profile in profiles.items():
            launcher = before.get(name) or PilotLauncher(profile)
            launcher.follow(profile)
            self._launchers[name] = launcher
        for name in before.keys() - profiles.keys():
            before[name].forget()


def slurm_slots(profile: SlurmProfile) -> list[Slot]:
    """Return the slots of the jobs that may be submitted at the same time, one for each run that a
    job may train at once."""
    return [
        Slot(f"{profile.name}/{number}", profile.device, profile.title or "Slurm", profile.cpus)
        for number in range(profile.jobs * most_at_once(profile))
    ]


def _stamp(config_dir: Path | None) -> Stamp:
    folders = [layer / "launchers" for layer in config_layers(config_dir)]
    paths = [path for folder in folders for path in sorted(folder.glob("[!.]*.y*ml"))]
    return tuple((path, path.stat().st_mtime_ns) for path in paths)
