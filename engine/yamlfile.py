"""One YAML file as plain values that still know the line they stand on.

Plain text is typed by the core schema of YAML 1.2: ``no`` is text, ``1e-3`` is a number, and
there are no dates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engine.errors import ConfigError, cut, shown
from engine.regular import open_regular

MAX_BYTES = 100_000
"""No configuration is larger; what is, is a mistake or an attack."""

MAX_TOKENS = 20_000
"""Words, keys and marks of a document: reading that many takes a second."""

MAX_DEPTH = 32

Place = tuple[int | str, ...]
"""Path of a value in a document: keys and list positions."""

Scalar = str | int | float | bool | None

_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_OPENING = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)

_INTEGER = re.compile(r"[-+]?[0-9]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True)
class YamlDocument:
    """A mapping, with the file and line of each of its values."""

    path: Path
    value: dict[str, Any]
    lines: dict[Place, tuple[Path, int]] = field(default_factory=dict)

    def error(self, place: Sequence[int | str], problem: str) -> ConfigError:
        """A `ConfigError` that names file, line and key of ``place``, or of its nearest parent."""
        for end in range(len(place), -1, -1):
            if found := self.lines.get(tuple(place[:end])):
                path, line = found
                key = cut(".".join(map(_key, place)), 200)
                return ConfigError(f"{path}:{line}: {f'{key}: ' if key else ''}{problem}")
        return ConfigError(f"{self.path}: {problem}")


def read_yaml(path: Path) -> YamlDocument:
    """Read a YAML mapping; sequences become tuples. Tags, aliases and duplicate keys are refused.

    Raises:
        ConfigError: the file can't be read, or isn't one plain mapping.
    """
    text = _read_text(path)
    try:
        node = _compose(path, text)
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{path}:1: expected a mapping of keys to values.")
        lines: dict[Place, tuple[Path, int]] = {}
        return YamlDocument(path, _construct(path, node, (), lines), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: {error.problem or 'is not YAML'}.") from None
    except yaml.reader.ReaderError as error:
        line = f":{text.count(chr(10), 0, error.position) + 1}"
        problem = f"the character {error.character!r} is not allowed"
        raise ConfigError(f"{path}{line}: {problem}.") from None
    except (ValueError, OverflowError):  # PyYAML's own, of a character or a version out of range
        raise ConfigError(f"{path}: is not YAML: it holds a number that is out of range.") from None


def _key(part: int | str) -> str:
    """As it is written; a line break in it doesn't break the sentence."""
    text = str(part)
    return text if text.isprintable() else repr(text)[1:-1]


def merge_documents(below: YamlDocument, above: YamlDocument) -> YamlDocument:
    """Lay ``above`` over ``below``: mappings merge key by key, anything else replaces."""
    return YamlDocument(
        above.path, _merge(below.value, above.value), {**below.lines, **above.lines}
    )


def parse_scalar(text: str) -> Scalar:
    """What plain text means: null, true, false, a finite number, or the text itself."""
    if text.lower() in _WORDS and text in {text.lower(), text.capitalize(), text.upper()}:
        return _WORDS[text.lower()]
    if not _REAL.fullmatch(text):
        return text
    try:
        number = int(text) if _INTEGER.fullmatch(text) else float(text)
        return number if math.isfinite(number) else text
    except (ValueError, OverflowError):  # thousands of digits: nobody's number
        return text


def _read_text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{path}: is larger than {MAX_BYTES:,} bytes.")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start}).") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}.") from None


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, dict) and isinstance(value, dict):
            merged[key] = _merge(under, value)
        else:
            merged[key] = value
    return merged


def _compose(path: Path, text: str) -> yaml.Node | None:
    """By libyaml where there is one, in a tenth of the time; what is wrong with a text PyYAML's
    own parser says, the same everywhere."""
    for loader in (_FAST, yaml.SafeLoader):
        try:
            _refuse_what_is_not_plain(path, text, loader)
            return yaml.compose(text, Loader=loader)
        except (yaml.YAMLError, ValueError, OverflowError):
            if loader is yaml.SafeLoader:
                raise
    raise AssertionError


def _refuse_what_is_not_plain(path: Path, text: str, loader: Any) -> None:
    """An alias can make a small file huge, a tag can hide a type, depth can take all time."""
    depth = 0
    for count, token in enumerate(yaml.scan(text, Loader=loader)):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > MAX_DEPTH:
            problem = f"is nested more than {MAX_DEPTH} deep"
        elif isinstance(token, yaml.AliasToken | yaml.AnchorToken):
            problem = "YAML aliases are not allowed"
        elif isinstance(token, yaml.TagToken):
            problem = "YAML tags are not allowed"
        elif count > MAX_TOKENS:
            problem = "holds too many values for a configuration"
        else:
            continue
        raise ConfigError(f"{path}:{token.start_mark.line + 1}: {problem}.")


def _construct(
    path: Path, node: yaml.Node, place: Place, lines: dict[Place, tuple[Path, int]]
) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(place, (path, line))
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(f"{path}:{line}: a key must be plain text.")
            key = str(key_node.value)
            key_line = key_node.start_mark.line + 1
            if key in mapping:
                raise ConfigError(f"{path}:{key_line}: the key {shown(key)} stands twice.")
            lines[(*place, key)] = (path, key_line)
            mapping[key] = _construct(path, value_node, (*place, key), lines)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return tuple(
            _construct(path, item, (*place, index), lines) for index, item in enumerate(node.value)
        )
    assert isinstance(node, yaml.ScalarNode)
    return node.value if node.style else parse_scalar(node.value)  # of plain text: none, or empty
