"""Maps the tags of another program to measures, and its folders' names to runs, as YAML says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import Field, field_validator

from engine.config import builtin_configs
from engine.errors import did_you_mean
from engine.metrics import EPOCH_MEASURES
from engine.spec import Strict
from engine.validation import InvalidError, validate
from engine.yamlfile import merge_documents, read_yaml

PARAMETERS = "parameters"
MEASURES = (*EPOCH_MEASURES, PARAMETERS)
"""Measures that a tag may stand for."""

RUN_FIELDS = ("model", "dataset", "length", "seed")
"""Fields without which a run can't be imported."""

_HOLE = re.compile(r"\{(\w*)\}")


class TagMap(Strict):
    """The content of ``configs/imports/reference.yaml``, or of one like it."""

    tags: dict[str, str | None] = Field(default_factory=dict)
    folders: tuple[str, ...] = Field(default=(), max_length=100)
    names: dict[str, str] = Field(default_factory=dict)

    @field_validator("tags")
    @classmethod
    def _are_measures(cls, tags: dict[str, str | None]) -> dict[str, str | None]:
        for tag, measure in tags.items():
            if measure is not None and measure not in MEASURES:
                raise ValueError(f"{tag!r} can't be {measure!r}: {did_you_mean(measure, MEASURES)}")
        return tags

    @field_validator("folders")
    @classmethod
    def _have_holes(cls, folders: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in folders:
            holes = [name for name in _HOLE.findall(pattern) if name]
            wrong = [name for name in holes if name not in RUN_FIELDS]
            if wrong:
                raise ValueError(
                    f"{{{wrong[0]}}} in {pattern!r}: {did_you_mean(wrong[0], RUN_FIELDS)}"
                )
            if len(set(holes)) < len(holes):
                raise ValueError(f"{pattern!r} names something twice")
        return folders

    def measures(self) -> Mapping[str, str]:
        """Return the measure of each tag that is not to be ignored."""
        return {tag: measure for tag, measure in self.tags.items() if measure is not None}

    def fields_of(self, folder: str) -> dict[str, str]:
        """Read `RUN_FIELDS` from a folder's path (with ``/``), by the first pattern that fits."""
        for pattern in self.folders:
            if found := _expression(pattern).fullmatch(folder):
                return found.groupdict()
        return {}


def load_tag_map(path: Path | None = None) -> TagMap:
    """Load the reference table's map, with the one in ``path`` merged over it.

    Raises:
        ConfigError: the file can't be read or is invalid; names file, line and key.
    """
    document = read_yaml(builtin_configs() / "imports" / "reference.yaml")
    if path is not None:
        document = merge_documents(document, read_yaml(path))
    try:
        return validate(TagMap, document.value)
    except InvalidError as error:
        raise document.error(error.key_path, error.problem) from None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """Compile a folder pattern. Names end with their folder; numbers may have letters before."""
    parts = _HOLE.split(pattern)
    made = [r"(?:.*/)?", re.escape(parts[0])]
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        match name:
            case "":
                made.append("[^/]*")
            case "length" | "seed":
                made.append(rf"[A-Za-z]*[=_-]?(?P<{name}>[0-9]+)")
            case _:
                made.append(rf"(?P<{name}>[^/]+?)")
        made.append(re.escape(text))
    return re.compile("".join(made))
