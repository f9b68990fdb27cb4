"""Reading a YAML file as plain values and their line numbers, and writing values as YAML.

Scalars follow the core schema of YAML 1.2: ``no`` is text, ``1e-3`` is a number, and there are no
dates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from engine.errors import ConfigError, cut, shown
from engine.files.regular import open_regular

MAX_BYTES = 100_000
"""Most bytes of a file; a larger one is no configuration."""

MAX_TOKENS = 20_000
"""Most tokens of a document; reading this many takes a second."""

MAX_DEPTH = 32
"""Most levels of nesting."""

KeyPath = tuple[int | str, ...]
"""Path of a value in a document: keys and list indices."""

Scalar = str | int | float | bool | None
Real = Callable[[str], float | Decimal]
"""Makes a number of the digits of a decimal fraction."""

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
    """A mapping read from YAML, which is never changed: who reads the file again gets it again."""

    path: Path
    value: dict[str, Any]
    lines: dict[KeyPath, tuple[Path, int]] = field(default_factory=dict)
    """File and line of each value."""

    def error(self, key_path: Sequence[int | str], problem: str) -> ConfigError:
        """Make a `ConfigError` that names the key, and the file and line of it or of its nearest
        parent."""
        for end in range(len(key_path), -1, -1):
            if found := self.lines.get(tuple(key_path[:end])):
                path, line = found
                key = cut(".".join(map(_key, key_path)), 200)
                return ConfigError(f"{path}:{line}: {f'{key}: ' if key else ''}{problem}")
        return ConfigError(f"{self.path}: {problem}")


def read_yaml(path: Path, real: Real = float) -> YamlDocument:
    """Read a YAML mapping; sequences become tuples.

    Args:
        real: makes a number of a scalar such as ``0.130``; `Decimal` keeps its digits.

    Raises:
        ConfigError: the file can't be read, isn't a mapping, or has tags, aliases or duplicate
        keys.
    """
    return _document(path, _read_text(path), real)


def parse_yaml(text: str, name: str) -> YamlDocument:
    """Parse a YAML mapping that was typed; see `read_yaml`.

    Args:
        name: what errors call it, before the number of the line.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{name}: is longer than {MAX_BYTES:,} characters.")
    return _document(Path(name), text, float)


@lru_cache(maxsize=128)
def _document(path: Path, text: str, real: Real) -> YamlDocument:
    """Parse a file's text: configuration that is read again is mostly as it was."""
    try:
        node = _compose(path, text)
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{path}:1: expected a mapping of keys to values.")
        lines: dict[KeyPath, tuple[Path, int]] = {}
        return YamlDocument(path, _construct(path, node, (), lines, real), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: {error.problem or 'is not YAML'}.") from None
    except yaml.reader.ReaderError as error:
        line = f":{text.count(chr(10), 0, error.position) + 1}"
        problem = f"the character {error.character!r} is not allowed"
        raise ConfigError(f"{path}{line}: {problem}.") from None
    except (ValueError, OverflowError):  # from PyYAML: a character or version number out of range
        raise ConfigError(f"{path}: is not YAML: it holds a number that is out of range.") from None


def _key(part: int | str) -> str:
    """Return a key for display, with line breaks and the like escaped."""
    text = str(part)
    return text if text.isprintable() else repr(text)[1:-1]


def merge_documents(below: YamlDocument, above: YamlDocument) -> YamlDocument:
    """Merge ``above`` into ``below``: mappings key by key; any other value is replaced."""
    return YamlDocument(
        above.path, _merge(below.value, above.value), {**below.lines, **above.lines}
    )


def parse_scalar(text: str) -> Scalar:
    """Parse unquoted text as null, true, false, a finite number, or itself."""
    if text.lower() in _WORDS and text in {text.lower(), text.capitalize(), text.upper()}:
        return _WORDS[text.lower()]
    if not _REAL.fullmatch(text):
        return text
    try:
        number = int(text) if _INTEGER.fullmatch(text) else float(text)
        return number if math.isfinite(number) else text
    except (ValueError, OverflowError):  # thousands of digits
        return text


def to_yaml(content: Mapping[str, Any]) -> str:
    """Write plain values as YAML that `read_yaml` reads as equal ones; what holds scalars only
    takes one line."""
    text: str = yaml.dump(
        dict(content), Dumper=_Dumper, sort_keys=False, default_flow_style=None,
        allow_unicode=True, width=math.inf,
    )  # fmt: skip
    return text


class _Dumper(yaml.SafeDumper):
    """Writes no aliases, which `read_yaml` refuses, and sequences indented, as people do."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # What PyYAML takes for text, such as 1e-3, may be a number here.
    style = None if parse_scalar(text) == text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent_text)


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
    """Parse by libyaml, ten times as fast, if PyYAML has it; if that fails, parse again by PyYAML's
    own parser, so that error messages are the same everywhere."""
    for loader in (_FAST, yaml.SafeLoader):
        try:
            _refuse_what_is_not_plain(path, text, loader)
            return yaml.compose(text, Loader=loader)
        except (yaml.YAMLError, ValueError, OverflowError):
            if loader is yaml.SafeLoader:
                raise
    raise AssertionError


def _refuse_what_is_not_plain(path: Path, text: str, loader: Any) -> None:
    """Raise `ConfigError` for aliases, which can make a small file huge, tags, which can hide a
    type, and for documents too deep or too long to parse quickly."""
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
    path: Path,
    node: yaml.Node,
    key_path: KeyPath,
    lines: dict[KeyPath, tuple[Path, int]],
    real: Real,
) -> Any:
    """Build the value of a node, and add the lines of its parts to ``lines``."""
    line = node.start_mark.line + 1
    lines.setdefault(key_path, (path, line))
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(f"{path}:{line}: a key must be plain text.")
            key = str(key_node.value)
            key_line = key_node.start_mark.line + 1
            if key in mapping:
                raise ConfigError(f"{path}:{key_line}: the key {shown(key)} stands twice.")
            lines[(*key_path, key)] = (path, key_line)
            mapping[key] = _construct(path, value_node, (*key_path, key), lines, real)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return tuple(
            _construct(path, item, (*key_path, index), lines, real)
            for index, item in enumerate(node.value)
        )
    assert isinstance(node, yaml.ScalarNode)
    if node.style:  # plain text has none
        return node.value
    value = parse_scalar(node.value)
    return real(node.value) if isinstance(value, float) else value
