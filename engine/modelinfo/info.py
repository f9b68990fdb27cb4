"""The description of a model, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

Kind = Literal["next-item", "masked", "own", "fitted"]
"""How a model is trained: see `engine.models.base`."""

Origin = Literal["builtin", "file", "entry point"]


@dataclass(frozen=True)
class ModelInfo:
    """What a model's definition says, and where it is."""

    name: str
    title: str = ""
    paper: str = ""
    aliases: tuple[str, ...] = ()
    kind: Kind = "next-item"
    uses_times: bool = False
    """Whether it reads the time of each interaction, where the data have times."""
    needs_times: bool = False
    """Whether it can't be fitted to data without times."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """Its settings as JSON schema: each with type, default, constraints and explanation."""
    profiles: Mapping[str, Any] = field(default_factory=dict)
    """As in YAML, every profile with all three sizes, without the key ``model``."""
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Of a fitted model: the values that are tried on validation, for settings that are null."""
    space: Mapping[str, Any] = field(default_factory=dict)
    """What a study tries, by setting; empty if its definition doesn't say."""
    sha256: str = ""
    """Of its file; of a model that comes with seqbench, of its code and the layers'."""
    origin: Origin = "builtin"
    file: str | None = None
    """Path of the file of a model that doesn't come with seqbench."""
    package: str = ""
    """The package that the file of an entry point is in, for its relative imports."""
    problem: str = ""
    """Why the file can't be used, in a sentence; empty if it can."""

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The defaults of its settings, of those that have one."""
        fields = self.schema.get("properties", {})
        return {name: about["default"] for name, about in fields.items() if "default" in about}

    @property
    def question(self) -> dict[str, str]:
        """How the process that describes models is told which one."""
        if self.file is None:
            return {"name": self.name}
        return {"file": self.file, "package": self.package}


def info_from(content: Mapping[str, Any]) -> ModelInfo:
    """Make a description of what `info_json` returned."""
    known = {name: value for name, value in content.items() if name in ModelInfo.__annotations__}
    known["aliases"] = tuple(known.get("aliases", ()))
    known["grid"] = {name: tuple(values) for name, values in known.get("grid", {}).items()}
    return ModelInfo(**known)


def info_json(info: ModelInfo) -> dict[str, Any]:
    """Return a description as JSON."""
    return asdict(info)
