"""A model's name and settings, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, model_serializer, model_validator

from engine.modelinfo import ModelInfo, builtin_info
from engine.spec.strict import Name, Strict

_TYPES: dict[str, Any] = {"integer": int, "number": float, "boolean": bool, "string": str}
_CONSTRAINTS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
}
_CLASSES: dict[tuple[str, str], type[Strict]] = {}


class Architecture(BaseModel):
    """A model and all its settings, each of which is an attribute too.

    Of a model that comes with seqbench, each setting is checked, and those that are absent have
    their defaults. Whether they fit together is for the model's own class to say
    (`engine.modelinfo.facts_of`).
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    model: Name

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or (info := builtin_info(given.get("model"))) is None:
            return given
        own = {name: value for name, value in given.items() if name != "model"}
        return {**vars(settings_class(info).model_validate(own)), "model": info.name}

    @model_serializer
    def _plain(self) -> dict[str, Any]:
        return self.settings | {"model": self.model}

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name, without the model's name."""
        return dict(self.__pydantic_extra__ or {})


def settings_class(info: ModelInfo) -> type[Strict]:
    """Return a class that checks each of a model's settings by itself, as the model's own class
    does, which only a process with torch has."""
    key = (info.name, info.sha256)
    if key not in _CLASSES:
        fields: dict[str, Any] = {
            name: (
                _annotation(about, info.schema.get("$defs", {})),
                Field(default=about["default"]) if "default" in about else Field(),
            )
            for name, about in info.schema.get("properties", {}).items()
        }
        _CLASSES[key] = create_model("Settings", __base__=Strict, **fields)
    return _CLASSES[key]


def _annotation(about: Mapping[str, Any], named: Mapping[str, Any]) -> Any:
    """Return the type of a setting that its JSON schema describes; `Any` where only the model's own
    class can check it."""
    if "$ref" in about:
        return _annotation(named.get(str(about["$ref"]).rpartition("/")[2], {}), named)
    if "anyOf" in about:
        branches = [_annotation(each, named) for each in about["anyOf"]]
        found: Any = branches[0]
        for each in branches[1:]:
            found = found | each
        return Any if Any in branches else found
    if "enum" in about or "const" in about:
        return Literal[tuple(about.get("enum", [about.get("const")]))]
    if about.get("type") == "null":
        return None
    kind = _TYPES.get(str(about.get("type")), Any)
    limits = {ours: about[theirs] for theirs, ours in _CONSTRAINTS.items() if theirs in about}
    return Annotated[kind, Field(**limits)] if limits and kind is not Any else kind


def default_settings(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the defaults of the settings of a run's model, if it comes with seqbench; of one's own
    model there are none, as its file tells all.

    Args:
        content: a `RunSpec` as JSON, of this version or another.
    """
    architecture = content.get("architecture")
    if not isinstance(architecture, Mapping) or content.get("code") is not None:
        return {}
    info = builtin_info(architecture.get("model"))
    return {} if info is None else info.defaults
