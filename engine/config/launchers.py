"""The schema of launchers, by which runs are submitted to a cluster (``configs/launchers/``)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from engine.spec import Name, Strict

LOCAL = "local"
"""The name of this machine as a launcher, which needs no profile."""

SlurmName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,:@&|*+/=-]*$", max_length=200)]
"""Name of a partition, an account, a node feature: no blanks and no quotes."""

TextLine = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=2_000)]
"""A single line of text."""

_TIME = re.compile(
    r"(?P<only>[0-9]{1,9})"
    r"|((?P<days>[0-9]{1,6})-(?=[0-9]{1,2}(:|$)))?(?P<hours>[0-9]{1,6})"
    r"(:(?P<minutes>[0-5]?[0-9]))?(:(?P<seconds>[0-5]?[0-9]))?"
)
"""Minutes; or hours and the rest, all three of them unless days come before."""
_MEMORY = re.compile(r"\d+[KMGT]?")
_OPTION = re.compile(r"--[a-z][a-z-]*(=[A-Za-z0-9_.,:@%&|*+/=\[\]()-]+)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset(
    ("array", "chdir", "error", "input", "job-name", "no-requeue", "nodes", "ntasks", "open-mode",
     "output", "parsable", "requeue", "signal", "test-only", "wait", "wrap")
)  # fmt: skip
"""Options of ``sbatch`` that seqbench sets itself."""
_KEYS = {
    **{name: name for name in ("partition", "account", "qos", "constraint", "reservation", "time")},
    "mem": "memory",
    "cpus-per-task": "cpus",
    "gres": "gpus",
}
"""Keys of a profile by the options of ``sbatch`` that they become."""


class SlurmProfile(Strict):
    """How to submit runs to a Slurm cluster."""

    name: Name
    kind: Literal["slurm"]
    title: str = Field(default="", max_length=200)
    jobs: int = Field(default=8, ge=1, le=10_000)
    """Most jobs waiting or running on the cluster; other runs stay in seqbench's queue."""
    runs_per_job: Annotated[int, Field(ge=1, le=10_000)] | Literal["auto"] = "auto"
    """Most runs that one job trains, one after another, and on a GPU several at once; ``auto``: as
    many as its time allows. With 1, each attempt at a run is a job of its own."""
    partition: SlurmName | None = None
    account: SlurmName | None = None
    qos: SlurmName | None = None
    constraint: SlurmName | None = None
    reservation: SlurmName | None = None
    time: int | str | None = None
    """Time limit of a job: minutes, ``H:MM:SS``, ``D-HH``, ``D-HH:MM`` or ``D-HH:MM:SS``; 0 is
    none. A longer run continues in the next job."""
    memory: int | str | None = None
    """Memory of a job: MiB, or such as ``8G``."""
    cpus: int = Field(default=4, ge=1, le=1024)
    """Cores of a job, and threads of its runs."""
    gpus: int = Field(default=0, ge=0, le=64)
    """GPUs of a job; with neither ``gpus`` nor ``shards`` it trains on the CPU."""
    gpu_type: SlurmName | None = None
    shards: int = Field(default=0, ge=0, le=1024)
    """Shards of a GPU (Slurm's GRES ``shard``), instead of a whole GPU."""
    warn_seconds: int = Field(default=60, ge=10, le=3_600)
    """How long before its time limit a job is warned, so that it stops and the next job
    continues."""
    options: tuple[str, ...] = Field(default=(), max_length=50)
    """Further options of ``sbatch``, each ``--name`` or ``--name=value``."""
    setup: tuple[TextLine, ...] = Field(default=(), max_length=50)
    """Shell commands to run first, such as ``module load cuda``; if one fails, so does the job."""
    environment: dict[str, TextLine] = Field(default_factory=dict, max_length=100)
    """Environment variables to set, after ``setup``."""
    python: TextLine | None = None
    """The interpreter on the nodes; by default, the path of the one that runs seqbench here."""
    poll_seconds: float = Field(default=10, ge=0.2, le=600)
    """Seconds between two queries of Slurm's queue."""

    @property
    def device(self) -> Literal["cpu", "cuda"]:
        """The worker's ``--device``."""
        return "cuda" if self.gpus or self.shards else "cpu"

    @field_validator("name")
    @classmethod
    def _is_another(cls, value: str) -> str:
        if value == LOCAL:
            raise ValueError(f"{LOCAL} is this machine: choose another name.")
        return value

    @field_validator("time")
    @classmethod
    def _is_a_time(cls, value: int | str | None) -> int | str | None:
        if value is not None:
            limit_seconds(value)
        return value

    @field_validator("memory")
    @classmethod
    def _is_a_size(cls, value: int | str | None) -> int | str | None:
        if value is not None and not _MEMORY.fullmatch(str(value)):
            raise ValueError("expected MiB, or a number with K, M, G or T, such as 8G.")
        return value

    @field_validator("options")
    @classmethod
    def _are_options(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for option in value:
            if not _OPTION.fullmatch(option):
                raise ValueError(f"expected --name or --name=value without spaces, not {option!r}.")
            name = option[2:].partition("=")[0]
            if name in _RESERVED:
                raise ValueError(f"--{name} is set by seqbench itself.")
        return value

    @field_validator("environment")
    @classmethod
    def _are_variables(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"{name!r} can't be the name of a variable.")
            if name == "CUDA_VISIBLE_DEVICES":
                raise ValueError("CUDA_VISIBLE_DEVICES is Slurm's: ask for gpus or shards.")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> SlurmProfile:
        if self.gpus and self.shards:
            raise ValueError("gpus and shards exclude each other: a shard is a part of a GPU.")
        if self.gpu_type and not self.gpus:
            raise ValueError("gpu_type says which GPUs, but none are requested: set gpus.")
        limit = limit_seconds(self.time) if self.time is not None else 0
        if 0 < limit <= self.warn_seconds:
            raise ValueError(
                f"time is {limit} s and warn_seconds {self.warn_seconds}: a job would be warned of "
                "its end before it starts. Give it more time, or warn it later."
            )
        given = {option[2:].partition("=")[0] for option in self.options}
        for name, key in _KEYS.items():
            if name in given and getattr(self, key) not in (None, 0):
                raise ValueError(f"--{name} in options contradicts {key}: remove one of them.")
        return self


def limit_seconds(time: int | str) -> int:
    """Return a time limit in seconds; 0 is none, as for Slurm.

    Raises:
        ValueError: the text is no time, or could be meant in two ways; says what is expected.
    """
    text = str(time)
    if re.fullmatch(r"[0-9]+:[0-9]+", text):
        raise ValueError(f"{text} could be hours or minutes: write H:MM:SS.")
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("expected minutes, H:MM:SS or D-HH:MM:SS.")
    if found["only"]:
        return 60 * int(found["only"])
    days, hours, minutes, seconds = (
        int(found[name] or 0) for name in ("days", "hours", "minutes", "seconds")
    )
    if days and hours > 23:
        raise ValueError(f"{text} has more than 23 hours in addition to its days.")
    return ((24 * days + hours) * 60 + minutes) * 60 + seconds
