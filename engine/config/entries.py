"""What the entries of a configuration may say: models, published figures, settings."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from engine.spec import Name, Size, Strict


class SizeSettings(Strict):
    architecture: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class Profile(Strict):
    """One recipe of a model: what all sizes share, and what each size adds."""

    architecture: dict[str, Any]
    training: dict[str, Any] = Field(default_factory=dict)
    sizes: dict[Size, SizeSettings] = Field(min_length=1)


class ModelEntry(Strict):
    name: Name
    title: str
    aliases: tuple[str, ...] = ()
    paper: str = ""
    profiles: dict[str, Profile] = Field(min_length=1)


class ReferenceCell(Strict):
    model: Name
    dataset: Name
    length: int
    figures: dict[str, float]


class ReferenceTable(Strict):
    """Published figures, cell by cell; a figure that is not known is absent."""

    name: Name
    title: str
    source: str
    suite: str | None = None
    ranking: Literal["all-items", "seen-masked"]
    aggregate: Literal["max", "best", "last", "mean"]
    split: str = ""
    cells: tuple[ReferenceCell, ...]


class Slots(Strict):
    gpu: int = Field(default=1, ge=1, le=64)
    cpu: int | Literal["auto"] = "auto"
    gpus_per_run: int = Field(default=1, ge=1, le=64)
    """GPUs that one run spans, each with a share of every batch."""
    processes_per_run: int = Field(default=1, ge=1, le=64)
    """The same on the CPU, where it shows what several GPUs would do."""


class Settings(Strict):
    """How this machine works the queue."""

    slots: Slots = Slots()
    retries: int = Field(default=3, ge=0, le=100)
    """How often a run whose process vanishes is tried again by itself."""
    pause_after: int = Field(default=3, ge=0, le=1000)
    """The queue pauses when so many runs die within a minute of one cause; 0: never."""
    idle_seconds: float = Field(default=30, ge=0)
    notify: Literal["unfocused", "always", "never"] = "unfocused"
    """When the terminal rings for a run that failed or a suite that ended. ``unfocused`` needs a
    terminal that tells whether it has the focus."""
    webhook: str | None = Field(default=None, max_length=2_000)
    """Where the supervisor reports the same."""

    @field_validator("webhook")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not _is_web_address(value):
            raise ValueError("expected an address such as https://example.org/hook.")
        return value


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises if it is none
    except ValueError:
        return False
    readable = text.isascii() and text.isprintable() and " " not in text
    return readable and parts.scheme in ("http", "https") and bool(parts.hostname)
