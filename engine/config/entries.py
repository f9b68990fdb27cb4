"""The schema of configured models and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, field_validator

from engine.budget import ByHand
from engine.config.addresses import is_web_address
from engine.modelinfo import ModelInfo, builtin_infos
from engine.spec import ChosenBy, Name, Size, Strict


class SizeSettings(Strict):
    """The settings of a profile for one size of data set."""

    architecture: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class Profile(Strict):
    """Settings of a model under a name, common to all sizes and by size."""

    architecture: dict[str, Any]
    training: dict[str, Any] = Field(default_factory=dict)
    sizes: dict[Size, SizeSettings] = Field(min_length=1)
    chosen: ChosenBy | ByHand | None = None
    """Who chose the settings: ``by hand``, or a study with its budget; absent if nobody says it."""


class ModelEntry(Strict):
    """A model of the catalogue, with its profiles."""

    name: Name
    title: str
    aliases: tuple[str, ...] = ()
    paper: str = ""
    profiles: dict[str, Profile] = Field(min_length=1)
    _infos: Mapping[str, ModelInfo] = PrivateAttr(default_factory=builtin_infos)

    def knowing(self, infos: Mapping[str, ModelInfo]) -> ModelEntry:
        """Return the entry with the descriptions of the models that its profiles may name."""
        entry = self.model_copy()
        entry._infos = infos  # noqa: SLF001 - an entry's own
        return entry

    def info(self, profile: str) -> ModelInfo:
        """Return the description of a profile's model."""
        return self._infos[self.profiles[profile].architecture["model"]]


class Slots(Strict):
    """How many runs this machine trains at a time."""

    gpu: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = "auto"
    cpu: int | Literal["auto"] = "auto"
    gpus_per_run: int = Field(default=1, ge=1, le=64)
    """GPUs that each run trains on, with a shard of every batch on each."""
    processes_per_run: int = Field(default=1, ge=1, le=64)
    """The same on the CPU, for trying out what several GPUs would do."""


class Settings(Strict):
    """How this machine's supervisor processes the queue."""

    slots: Slots = Slots()
    retries: int = Field(default=3, ge=0, le=100)
    """How often to retry a run whose process vanished."""
    pause_after: int = Field(default=3, ge=0, le=1000)
    """Pause the queue when this many runs fail of the same cause within a minute; 0: never."""
    niceness: int = Field(default=10, ge=0, le=19)
    """Niceness of the processes that train: more waits for more."""
    idle_seconds: float = Field(default=30, ge=0)
    """How long the supervisor waits for new runs before it ends."""
    notify: Literal["unfocused", "always", "never"] = "unfocused"
    """When to ring the terminal's bell for a failed run or a finished suite. ``unfocused`` needs a
    terminal that reports its focus."""
    webhook: str | None = Field(default=None, max_length=2_000)
    """Address to which the supervisor posts the same events."""

    @field_validator("webhook")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not is_web_address(value):
            raise ValueError("expected an address such as https://example.org/hook.")
        return value
