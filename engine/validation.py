"""What pydantic finds wrong, as a place in the document and one sentence for its author."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from engine.errors import did_you_mean, nearest, shown
from engine.yamlfile import Place

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
    """A value that isn't what its place takes.

    Attributes:
        place: where it stands.
        problem: what was expected there, closed by a full stop or a question mark.
    """

    def __init__(self, place: Place, problem: str) -> None:
        self.place = place
        self.problem = problem if problem.endswith((".", "?")) else f"{problem}."
        super().__init__(self.problem)


def validate(kind: type[Model], value: Mapping[str, Any]) -> Model:
    """Make a ``kind`` of ``value``, with no conversions: ``true`` is no number.

    Raises:
        InvalidError: for the first thing wrong; a key that isn't known counts before one that is
            missing, as it may be its misspelling.
    """
    try:
        return kind.model_validate(value, strict=True)
    except ValidationError as error:
        raise _invalid(error.errors(), kind, value) from None


def validate_field(kind: type[BaseModel], name: str, value: object) -> None:
    """Check ``value`` for one field alone, whatever the others may be. Raises `InvalidError`."""
    try:
        kind.model_validate({name: value}, strict=True)
    except ValidationError as error:
        own = [details for details in error.errors() if details["loc"][:1] == (name,)]
        if own:
            raise _invalid(own, kind, {name: value}) from None


def _invalid(errors: list[ErrorDetails], kind: type[BaseModel], value: object) -> InvalidError:
    errors = sorted(errors, key=lambda details: details["type"] != "extra_forbidden")
    first, place = errors[0], _place(errors[0], value)
    match first["type"]:
        case "extra_forbidden":
            wrong = str(place[-1])
            known = _keys_at(kind, place[:-1])
            return InvalidError(place, f"unknown key {shown(wrong)}: {did_you_mean(wrong, known)}")
        case "missing":
            return InvalidError(place, "this key is needed")
        case "value_error":
            return InvalidError(place, first["msg"].removeprefix("Value error, "))
    # The branches of a union complain one by one of the same place.
    same = [_expectation(details) for details in errors if _place(details, value) == place]
    problem = f"expected {' or '.join(dict.fromkeys(same))}, not {shown(first['input'])}"
    options = re.findall(r"'([^']+)'", first.get("ctx", {}).get("expected", ""))
    near = nearest(str(first["input"]), options)
    return InvalidError(place, f"{problem}: did you mean {near!r}?" if near else problem)


def _expectation(details: ErrorDetails) -> str:
    if details["type"] not in _EXPECTED:
        return details["msg"].removeprefix("Input should be ")
    context = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in details.get("ctx", {}).items()
    }
    return _EXPECTED[details["type"]].format(**context)


def _place(details: ErrorDetails, value: Any) -> Place:
    """The location without what pydantic puts between: the names of a union's branches."""
    place: list[int | str] = []
    for part in details["loc"]:
        inside = value if isinstance(value, Mapping) else dict(enumerate(_items(value)))
        if part in inside:
            place.append(part)
            value = inside[part]
        elif details["type"] == "missing" and part == details["loc"][-1]:
            place.append(part)
    return tuple(place)


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _keys_at(annotation: Any, place: Place) -> set[str]:
    """The keys that a mapping at ``place`` under something of this type may have."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not place:
            return set(annotation.model_fields)
        field = annotation.model_fields.get(str(place[0]))
        return _keys_at(field.annotation, place[1:]) if field else set()
    arguments = get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return set().union(*(_keys_at(branch, place) for branch in arguments))
    if get_origin(annotation) in (dict, tuple, list) and place:
        element = arguments[1 if get_origin(annotation) is dict else 0]
        return _keys_at(element, place[1:])
    return set()
