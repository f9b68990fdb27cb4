"""A real Slurm of two nodes on this host: munge, slurmctld and two slurmd in a temporary folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

NODES = ("n1", "n2")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
CPUS, MEMORY = 8, 16_000
"""Of a node as Slurm is told; runs of the tests are small."""
START_SECONDS = 120.0


def missing() -> str | None:
    """Why there can be no cluster here; ``None`` if there can."""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    absent = [name for name in PROGRAMS if shutil.which(name, path=places) is None]
    if absent:
        return (
            f"Slurm isn't installed ({', '.join(absent)}): apt-get install --no-install-recommends "
            "slurmctld slurmd slurm-client munge"
        )
    if os.getuid() != 0:
        return "only root can start a Slurm that runs jobs as their user"
    return None


@dataclass
class Cluster:
    """``low`` jobs make way for ``high`` ones; ``gpu`` has nodes with two GPUs that are none."""

    root: Path
    port: int
    _daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def conf(self) -> Path:
        return self.root / "slurm.conf"

    def start(self) -> None:
        for name in ("state", "dev", *(f"spool-{node}" for node in NODES)):
            (self.root / name).mkdir()
        for number in (0, 1):
            os.mknod(self.root / "dev" / f"gpu{number}", 0o20666, os.makedev(1, 3))
        self.conf.write_text(self._configuration())
        (self.root / "gres.conf").write_text(
            f"NodeName=n[1-2] Name=gpu File={self.root}/dev/gpu[0-1]\n"
        )
        (self.root / "cgroup.conf").write_text("CgroupPlugin=autodetect\n")
        self._start_munge()
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        self.wait(lambda: self.idle_nodes() == set(NODES), "two idle nodes")

    def stop(self) -> None:
        with suppress(subprocess.SubprocessError):
            self.command("scancel", "--me", "--full", "--signal=KILL")
        munge = self._daemons.pop("munged", None)
        daemons = [*self._daemons.values(), *([munge] if munge else [])]
        for daemon in daemons:
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def start_controller(self) -> None:
        self._start("slurmctld", "slurmctld", "-D", "-f", str(self.conf))

    def start_node(self, node: str) -> None:
        self._start(node, "slurmd", "-D", "-f", str(self.conf), "-N", node)

    def kill(self, daemon: str) -> None:
        """End ``slurmctld``, ``n1`` or ``n2`` as a crash would; its jobs' processes live on."""
        process = self._daemons.pop(daemon)
        process.kill()
        process.wait()

    def repair(self) -> None:
        """Start again what was killed, and take the nodes back into service."""
        if "slurmctld" not in self._daemons:
            self.start_controller()
        for node in NODES:
            if node not in self._daemons:
                self.start_node(node)
        self.wait(self._answers, "an answer of the controller")
        for node in NODES:
            # A node that is in order refuses that.
            with suppress(subprocess.CalledProcessError):
                self.command("scontrol", "update", f"nodename={node}", "state=resume")
        self.wait(lambda: self.idle_nodes() == set(NODES), "two idle nodes")

    def _answers(self) -> bool:
        return "UP" in self.command("scontrol", "ping")

    def command(self, *arguments: str) -> str:
        """What a Slurm command prints."""
        done = subprocess.run(
            arguments,
            env={**os.environ, "SLURM_CONF": str(self.conf)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def idle_nodes(self) -> set[str]:
        with suppress(subprocess.SubprocessError):
            listed = self.command("sinfo", "-h", "-N", "-p", "low", "-t", "idle", "-o", "%N")
            return set(listed.split())
        return set()

    def jobs(self, state: str = "all") -> list[tuple[str, str, str]]:
        """Number, name and state of each job that Slurm knows."""
        listed = self.command("squeue", "-h", "-t", state, "-o", "%i|%T|%j")
        rows = [line.split("|", 2) for line in listed.splitlines()]
        return [(number, name, state) for number, state, name in rows]

    def wait(
        self, condition: Callable[[], object], what: str, seconds: float = START_SECONDS
    ) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.1)

    def _start(self, key: str, *command: str) -> None:
        with (self.root / f"{key}.out").open("ab") as out:
            self._daemons[key] = subprocess.Popen(
                command,
                env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.root,
                start_new_session=True,
            )

    def _start_munge(self) -> None:
        """One of our own, beside any that runs here."""
        key = self.root / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        files = {name: self.root / f"munge.{name}" for name in ("socket", "pid", "log", "seed")}
        options = [
            f"--{'socket' if name == 'socket' else f'{name}-file'}={path}"
            for name, path in files.items()
        ]
        self._start("munged", "munged", "--foreground", "--force", f"--key-file={key}", *options)
        self.wait(files["socket"].exists, "munge")

    def _configuration(self) -> str:
        host, root = socket.gethostname().partition(".")[0], self.root
        settings = {
            "ClusterName": "ci",
            "SlurmctldHost": f"{host}(127.0.0.1)",
            "SlurmctldPort": self.port,
            "SlurmUser": "root",
            "SlurmdUser": "root",
            "SlurmdParameters": "config_overrides",
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={root}/munge.socket",
            "CredType": "cred/munge",
            "StateSaveLocation": root / "state",
            "SlurmdSpoolDir": f"{root}/spool-%n",
            "SlurmctldPidFile": root / "slurmctld.pid",
            "SlurmdPidFile": f"{root}/slurmd-%n.pid",
            "SlurmctldLogFile": root / "slurmctld.log",
            "SlurmdLogFile": f"{root}/slurmd-%n.log",
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "SwitchType": "switch/none",
            "MpiDefault": "none",
            "ReturnToService": 2,
            "SlurmctldTimeout": 10,
            "SlurmdTimeout": 30,  # of a node that a busy machine doesn't let answer
            "InactiveLimit": 0,
            "KillWait": 5,
            "MinJobAge": 300,
            "Waittime": 0,
            "SchedulerType": "sched/backfill",
            "SchedulerParameters": "batch_sched_delay=0,sched_interval=2,sched_min_interval=0,"
            "bf_interval=2,nohold_on_prolog_fail",
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_Core_Memory",
            "PreemptType": "preempt/partition_prio",
            "PreemptMode": "REQUEUE",
            "JobRequeue": 1,
            "AccountingStorageType": "accounting_storage/none",
            "JobCompType": "jobcomp/filetxt",
            "JobCompLoc": root / "jobcomp.txt",
            "JobAcctGatherType": "jobacct_gather/linux",
            "GresTypes": "gpu",
            "MaxJobCount": 10_000,
        }
        nodes = (
            f"NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1"
            f" Port=[{self.port + 1}-{self.port + 2}] CPUs={CPUS} Boards=1 SocketsPerBoard=1"
            f" CoresPerSocket={CPUS} ThreadsPerCore=1 RealMemory={MEMORY} Gres=gpu:2 State=UNKNOWN"
        )
        partition = "Nodes=ALL MaxTime=INFINITE State=UP DefMemPerCPU=100"
        return "\n".join(
            (
                *(f"{name}={value}" for name, value in settings.items()),
                nodes,
                f"PartitionName=low {partition} PriorityTier=1 PreemptMode=REQUEUE GraceTime=5"
                " Default=YES",
                f"PartitionName=high {partition} PriorityTier=10 PreemptMode=OFF",
                "",
            )
        )
