"""Validation by pydantic, with errors as a path in the document and a sentence for its author."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from engine.errors import did_you_mean, nearest, shown
from engine.yamlfile import KeyPath

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "literal_error": "{expected}",
    "greater_than": "a number greater than {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number less than {lt}",
    "less_than_equal": "a number of at most {le}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} of them",
}


class InvalidError(Exception):
    """An invalid value in a document.

    Attributes:
        key_path: of the value.
        problem: what was expected, ending with a full stop or a question mark.
    """

    def __init__(self, key_path: KeyPath, problem: str) -> None:
        self.key_path = key_path
        self.problem = problem if problem.endswith((".", "?")) else f"{problem}."
        super().__init__(self.problem)

    @property
    def sentence(self) -> str:
        """The problem, after the key of the value; without one where it is of several values."""
        key = ".".join(map(str, self.key_path))
        return f"{key}: {self.problem}" if key else self.problem


def validate(kind: type[Model], value: Mapping[str, Any]) -> Model:
    """Make a ``kind`` of ``value``, without conversions: ``true`` is no number.

    Raises:
        InvalidError: the first error; unknown keys come before missing ones, of which they may be
            misspellings.
    """
    try:
        return kind.model_validate(value, strict=True)
    except ValidationError as error:
        raise _invalid(error.errors(), kind, value) from None


def validate_field(kind: type[BaseModel], name: str, value: object) -> None:
    """Check ``value`` for a single field. Raises `InvalidError`."""
    try:
        kind.model_validate({name: value}, strict=True)
    except ValidationError as error:
        own = [details for details in error.errors() if details["loc"][:1] == (name,)]
        if own:
            raise _invalid(own, kind, {name: value}) from None


def argument_sentence(error: ValidationError) -> str:
    """Say which argument of a validated dataclass is wrong, without a full stop."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    match first["type"]:
        case "missing":
            return f"{where} is needed"
        case "unexpected_keyword_argument":
            return f"there is no {where}"
    return f"{where}: expected {_expectation(first)}, not {shown(first['input'])}"


def _invalid(errors: list[ErrorDetails], kind: type[BaseModel], value: object) -> InvalidError:
    errors = sorted(errors, key=lambda details: details["type"] != "extra_forbidden")
    first, path = errors[0], _key_path(errors[0], value)
    match first["type"]:
        case "extra_forbidden":
            wrong = str(path[-1])
            known = _keys_at(kind, path[:-1])
            return InvalidError(path, f"unknown key {shown(wrong)}: {did_you_mean(wrong, known)}")
        case "missing":
            return InvalidError(path, "this key is needed")
        case "value_error":
            return InvalidError(path, first["msg"].removeprefix("Value error, "))
    # Each branch of a union has an error at the same path.
    same = [_expectation(details) for details in errors if _key_path(details, value) == path]
    problem = f"expected {' or '.join(dict.fromkeys(same))}, not {shown(first['input'])}"
    options = re.findall(r"'([^']+)'", first.get("ctx", {}).get("expected", ""))
    near = nearest(str(first["input"]), options)
    return InvalidError(path, f"{problem}: did you mean {near!r}?" if near else problem)


def _expectation(details: ErrorDetails) -> str:
    """Describe what was expected."""
    if details["type"] not in _EXPECTED:
        return details["msg"].removeprefix("Input should be ")
    context = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in details.get("ctx", {}).items()
    }
    return _EXPECTED[details["type"]].format(**context)


def _key_path(details: ErrorDetails, value: Any) -> KeyPath:
    """Return the error's location without the names of a union's branches, which pydantic adds."""
    path: list[int | str] = []
    for place, part in enumerate(details["loc"]):
        inside = value if isinstance(value, Mapping) else dict(enumerate(_items(value)))
        if part in inside:
            path.append(part)
            value = inside[part]
        elif place == 0 or (details["type"] == "missing" and part == details["loc"][-1]):
            path.append(part)  # a key that isn't there, or whose default is wrong
    return tuple(path)


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _keys_at(annotation: Any, path: KeyPath) -> set[str]:
    """Return the keys allowed in the mapping at ``path`` in a value of this type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            return set(annotation.model_fields)
        field = annotation.model_fields.get(str(path[0]))
        return _keys_at(field.annotation, path[1:]) if field else set()
    arguments = get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return set().union(*(_keys_at(branch, path) for branch in arguments))
    if get_origin(annotation) in (dict, tuple, list) and path:
        element = arguments[1 if get_origin(annotation) is dict else 0]
        return _keys_at(element, path[1:])
    return set()
