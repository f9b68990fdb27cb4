"""Every launcher with its slots: this machine, and one for each profile in ``configs/launchers/``.

Profiles are read again when a file changes, so that a supervisor that works for weeks takes up
what its user corrects meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from engine.config import SlurmProfile, config_layers, load_launchers
from engine.errors import ConfigError
from engine.machine.slots import Slot
from engine.supervisor.launcher import Pool
from engine.supervisor.slurm.launcher import SlurmLauncher

log = logging.getLogger("seqbench")

Stamp = tuple[tuple[Path, int], ...]
"""Files, and when each was changed."""


class Pools:
    """What the supervisor starts runs in."""

    def __init__(self, local: Pool, config_dir: Path | None) -> None:
        self.local = local
        self._config_dir = config_dir
        self._stamp: Stamp | None = None
        self._launchers: dict[str, SlurmLauncher] = {}

    def present(self) -> Mapping[str | None, Pool]:
        """By the launcher's name, as configured at this moment; ``None`` is this machine."""
        try:
            if (stamp := _stamp(self._config_dir)) != self._stamp:
                self._stamp = stamp
                self._take(load_launchers(self._config_dir))
        except (ConfigError, OSError) as error:
            log.warning("%s The launchers stay as they were.", error)
        named = self._launchers.items()
        pools: dict[str | None, Pool] = {None: self.local}
        return pools | {name: Pool(each, slurm_slots(each.profile)) for name, each in named}

    def _take(self, profiles: Mapping[str, SlurmProfile]) -> None:
        """A launcher knows its jobs, so one that stays is kept."""
        before, self._launchers = self._launchers, {}
        for name, profile in profiles.items():
            launcher = before.get(name) or SlurmLauncher(profile)
            launcher.profile = profile
            self._launchers[name] = launcher
        for name in before.keys() - profiles.keys():
            before[name].forget()


def slurm_slots(profile: SlurmProfile) -> list[Slot]:
    """As many as jobs may be submitted at once."""
    return [
        Slot(f"{profile.name}/{number}", profile.device, profile.title or "Slurm", profile.cpus)
        for number in range(profile.jobs)
    ]


def _stamp(config_dir: Path | None) -> Stamp:
    folders = [layer / "launchers" for layer in config_layers(config_dir)]
    paths = [path for folder in folders for path in sorted(folder.glob("[!.]*.y*ml"))]
    return tuple((path, path.stat().st_mtime_ns) for path in paths)
