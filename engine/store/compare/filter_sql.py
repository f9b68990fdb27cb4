"""The filter language's fields, and the SQL conditions that a filter becomes.

Nothing that was typed becomes part of a statement: names of fields are looked up, values are
parameters. `engine.store.compare.filter_words` reads the words; docs/queries.md describes them.
"""

from __future__ import annotations

import re
import time
from collections.abc import ItemsView, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Literal

from engine.errors import cut, did_you_mean
from engine.lifecycle import STATES
from engine.metrics import (
    CUTOFFS,
    EPOCH_MEASURES,
    METRICS,
    RANKINGS,
    REFERENCE_COLUMNS,
    RESULT_OF,
    SPLITS,
    summary_of,
)
from engine.modelinfo.own_settings import ModelSetting, own_settings
from engine.store.compare.computed import COMPUTED
from engine.store.compare.filter_words import FilterError, Term, read_filter
from engine.store.schema import SUMMARY_MEASURES

if TYPE_CHECKING:
    from engine.spec.settings import Setting

Kind = Literal["text", "number", "state", "tags", "age"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a filter can name, such as ``model`` or ``ndcg``."""

    sql: str
    """Its column, with the table before it: ``r`` is runs, ``s`` is summaries; ``value`` of a
    setting."""
    kind: Kind
    """How its values are compared; ``age`` is the time since a moment."""
    about: str
    """Its meaning in a few words."""
    setting: Setting | None = None
    """The setting whose value it is, in the table ``settings``."""
    computed: str = ""
    """Its name among `COMPUTED`, if it is one of these."""

    @property
    def column(self) -> str:
        """The name of its column in the comparison."""
        if self.setting:
            return self.setting.title
        return self.computed or self.sql.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Condition:
    """One term of a filter as an SQL condition on ``runs r`` or on ``summaries s``."""

    sql: str
    parameters: tuple[object, ...]
    """Values of the question marks in ``sql``."""
    column: str
    """The column that it tests, with its table; ``r`` if it tests several columns of ``runs``."""


CONFIGURATION = "r.configuration"
"""The column that conditions on settings test."""


_RUN_FIELDS = {
    "run": Field("r.id", "text", "a run's id"),
    "model": Field("r.model", "text", "model"),
    "dataset": Field("r.dataset", "text", "data set"),
    "length": Field("r.length", "number", "maximum length"),
    "seed": Field("r.seed", "number", "seed"),
    "state": Field("r.state", "state", ", ".join(STATES)),
    "profile": Field("r.profile", "text", "profile, and its variant after a slash"),
    "suite": Field("r.suite", "text", "suite that it was launched with"),
    "study": Field("r.study", "text", "study that it is a trial of; study:* finds all trials"),
    "trial": Field("r.trial", "number", "number of the trial in its study"),
    "trials": Field("r.tuned_trials", "number", "trials that chose its settings; 0: by hand"),
    "tuning_time": Field("r.tuned_seconds", "number", "seconds in training of these trials"),
    "device": Field("r.device", "text", "where it ran"),
    "origin": Field("r.origin", "text", "how an imported run came here; imported finds them all"),
    "mark": Field(
        "r.marks",
        "text",
        "why its values need caution: shared, throttled, busy-processor, other-copy, changed-data,"
        " still-improving",
    ),
    "refits": Field("r.refits", "text", "the run that it trains again with validation included"),
    "tag": Field("r.tags", "tags", "one of its tags"),
    "note": Field("r.note", "text", "its note"),
    "cause": Field("r.cause", "text", "why it ended, in a word"),
    "message": Field("r.message", "text", "why it ended, in a sentence"),
    "age": Field("r.created", "age", "time since it was queued: age<2d, with s m h d w"),
    "parameters": Field("r.parameters", "number", "parameters: parameters<1M"),
    "users_per_second_1": Field(
        "r.users_per_second_1", "number", "users recommended for per second, at batch size 1"
    ),
    "users_per_second_256": Field(
        "r.users_per_second_256", "number", "users recommended for per second, at batch size 256"
    ),
    "attempt": Field("r.attempt", "number", "number of attempts"),
}
_SUMMARY_FIELDS = {
    "epochs": Field("s.epochs_trained", "number", "epochs trained"),
    "best_epoch": Field("s.best_epoch", "number", "the epoch chosen on validation"),
    "total_time": Field("s.total_seconds", "number", "seconds of training and evaluation"),
    "epoch_energy": Field("s.joules_per_epoch", "number", "joules of training per epoch, median"),
    "best_energy": Field("s.joules_to_best", "number", "joules of training to the chosen epoch"),
    "total_energy": Field("s.joules", "number", "joules of training, all epochs"),
    "energy_of": Field("s.joules_of", "text", "what the energy is of: GPU, CPU or GPU + CPU"),
}
_COMPUTED_FIELDS = {
    name: Field(COMPUTED[column], "number", about, computed=column)
    for name, column, about in (
        ("quality_time", "seconds_to_quality", "seconds of training to 95 % of the best ndcg"),
        ("quality_energy", "joules_to_quality", "joules of training to 95 % of the best ndcg"),
        ("test_users", "test_users", "users evaluated in test"),
        ("test_cold_users", "test_cold_users", "those of them that training never had"),
        ("test_targets", "test_targets", "items ranked in test"),
        ("test_cold", "test_cold", "those of them that training never had"),
        ("ceiling", "ceiling", "the highest value that a test metric can have"),
    )
}
_MEASURES = {
    "loss": ("loss", "training loss, nats per target"),
    "loss_sum": ("loss_sum", "training loss as the reference sums it"),
    "grad_norm": ("grad_norm", "gradient norm"),
    "learning_rate": ("lr", "learning rate of an epoch"),
    "epoch_time": ("train_seconds", "seconds of training per epoch, median"),
    "cpu_time": ("cpu_seconds", "CPU seconds of training per epoch, median"),
    "eval_time": ("eval_seconds", "seconds of evaluation per epoch, median"),
    "memory": ("gpu_memory_mib", "GPU memory, MiB"),
    "utilization": ("gpu_utilization", "GPU utilization, %"),
}
_ALIASES = {
    "id": "run",
    "data": "dataset",
    "l": "length",
    "tags": "tag",
    "marks": "mark",
    "params": "parameters",
    "grad": "grad_norm",
    "gpu": "utilization",
    "attempts": "attempt",
}
_SEARCHED = ("id", "model", "dataset", "length", "state", "profile", "suite", "note", "tags")
"""Columns of a run in which a bare word is looked for."""

_SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.(?P<places>\d*))?|\.(?P<only>\d+))(?:e[+-]?\d+)?)([kmg]?)")
_SPAN = re.compile(r"(\d+(?:\.\d*)?)([smhdw])")


def conditions(text: str, aggregate: str = "best") -> tuple[tuple[Condition, ...], ...]:
    """Turn a filter into conditions: a run matches if of every group at least one holds.

    Args:
        text: the filter as it was typed; an empty one gives no groups.
        aggregate: which aggregate over epochs ``ndcg`` and the other measures stand for.

    Raises:
        FilterError: there is no such field, or it can't have this value; says at which character.
    """
    found = []
    for group in read_filter(text):
        parts = tuple(part for term in group if (part := _term(term, aggregate)) is not None)
        if parts:
            found.append(parts)
    return tuple(found)


def fields(aggregate: str = "best") -> dict[str, Field]:
    """Return the fields by name, without aliases and other spellings: those that are offered."""
    return _fields(aggregate, own_settings())


@cache
def _fields(aggregate: str, _own: Sequence[ModelSetting]) -> dict[str, Field]:
    return _run_fields(aggregate) | {title: _setting_field(each) for title, each in _settings()}


def _run_fields(aggregate: str) -> dict[str, Field]:
    known = dict(_RUN_FIELDS)
    for ranking, split in ((ranking, split) for ranking in RANKINGS for split in reversed(SPLITS)):
        for metric in METRICS:
            name = f"{metric}{ranking}" if split == "test" else f"{split}_{metric}{ranking}"
            masked = ", seen items masked" if ranking else ""
            about = f"{metric}@10, {split}{masked}"
            known[name] = Field(f"s.{split}_{metric}{ranking}_{aggregate}", "number", about)
    for name, (measure, about) in _MEASURES.items():
        known[name] = Field(f"s.{summary_of(measure, aggregate)}", "number", about)
    return known | _SUMMARY_FIELDS | _COMPUTED_FIELDS


def _settings() -> ItemsView[str, Setting]:
    from engine.spec.settings import every_setting  # pydantic: a list without a filter needs none

    return every_setting().items()


def _setting_field(setting: Setting) -> Field:
    kind: Kind = "text" if setting.kind == "text" else "number"
    return Field("value", kind, f"setting of {setting.section}", setting)


def field_columns(aggregate: str = "best") -> dict[str, str]:
    """Return the store's column of each field, by every name that a filter accepts for it."""
    return {name: field.column for name, field in _every_name(aggregate).items()}


def _every_name(aggregate: str) -> dict[str, Field]:
    """Return all fields by every name that is accepted, in lower case: the offered ones, aliases,
    the store's names, and those of the reference table."""
    return _names(aggregate, own_settings())


@cache
def _names(aggregate: str, _own: Sequence[ModelSetting]) -> dict[str, Field]:
    settings = {title: _setting_field(each) for title, each in _settings()}
    full = {each.full_name: settings[title] for title, each in _settings()}
    return field_names(aggregate) | {name.lower(): each for name, each in (settings | full).items()}


def field_names(aggregate: str = "best") -> dict[str, Field]:
    """Return the fields that are no settings, by every name that is accepted, in lower case."""
    known = _run_fields(aggregate)
    known |= {alias: known[name] for alias, name in _ALIASES.items()}
    for measure in EPOCH_MEASURES:
        known.setdefault(measure, Field(f"s.{summary_of(measure, aggregate)}", "number", measure))
    for column, measure in REFERENCE_COLUMNS.items():
        table = "s" if measure == "epochs_trained" else "r"
        of_epochs = measure in EPOCH_MEASURES
        sql = f"s.{summary_of(measure, aggregate)}" if of_epochs else f"{table}.{measure}"
        known[column.lower()] = Field(sql, "number", column)
    for name, result in RESULT_OF.items():
        field = Field(f"s.{name}", "number", name)
        known |= {name: field, result.word: field, f"{result.word}/test": field}
    known |= {
        f"hit{masked}@{k}": known[f"recall{masked}@{k}"]
        for masked in RANKINGS
        for k in CUTOFFS
        if k != 10
    }
    known |= {
        f"{metric}{masked}@10": known[f"{metric}{masked}"]
        for masked in RANKINGS
        for metric in METRICS
    }
    return known | {name: Field(f"s.{name}", "number", name) for name in SUMMARY_MEASURES}


def _term(term: Term, aggregate: str) -> Condition | None:
    """Turn a term into a condition; ``None`` for ``field:`` alone, whose value is still to come."""
    if not term.field:
        sql = " OR ".join(f"r.{name} LIKE ? ESCAPE '~'" for name in _SEARCHED)
        pattern = "%" + re.sub("([%_~])", r"~\1", term.value) + "%"
        return _negated(term, f"({sql})", (pattern,) * len(_SEARCHED), "r")
    field = _field(term, aggregate)
    if not term.value and not term.quoted and term.op == ":":
        return None
    tests = list(_tests(term, field))
    sql = " OR ".join(test for test, _ in tests)
    sql = f"({sql})" if len(tests) > 1 else sql
    if field.setting:
        of_setting = f"name = '{field.setting.name}' AND {sql}"
        sql = f"{CONFIGURATION} IN (SELECT configuration FROM settings WHERE {of_setting})"  # noqa: S608
    if term.op == "!=":
        sql = f"({sql}) IS NOT TRUE"
    parameters = tuple(value for _, values in tests for value in values)
    return _negated(term, sql, parameters, CONFIGURATION if field.setting else field.sql)


def _negated(term: Term, sql: str, parameters: tuple[object, ...], column: str) -> Condition:
    """Make the condition of a term from its SQL, negated if the term is."""
    # An unknown value meets no comparison, so its negation is met.
    shown = f"({sql}) IS NOT TRUE" if term.negated else sql
    return Condition(shown, parameters, column)


def _field(term: Term, aggregate: str) -> Field:
    """Find the field that a term names. Raises `FilterError`."""
    known = _every_name(aggregate)
    name = term.field.lower()
    if found := known.get(name) or known.get(name.replace("-", "_")):
        return found
    hint = did_you_mean(term.field, fields(aggregate))
    if not hint.startswith("did"):
        hint = "quote it to search the text (docs/queries.md)."
    raise FilterError(term.at, f"there is no field {cut(term.field, 30)!r}: {hint}")


def _tests(term: Term, field: Field) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield SQL with its parameters for each of a term's values, of which one must match."""
    values = term.values
    if not values:
        raise FilterError(term.value_at, f"{_asked(term)} needs a value.")
    if term.value == "*" and not term.quoted and field.kind != "age":
        empty = "'[]'" if field.kind == "tags" else "''"
        yield f"ifnull({field.sql}, {empty}) <> {empty}", ()
        return
    for value in values:
        match field.kind:
            case "number":
                yield _number(term, field, value)
            case "age":
                yield _age(term, field, value)
            case _:
                yield _text(term, field, value)


def _asked(term: Term) -> str:
    return f"{cut(term.field, 30)}{term.op}"


def _text(term: Term, field: Field, value: str) -> tuple[str, tuple[object, ...]]:
    if term.op not in (":", "=", "!="):
        raise FilterError(term.at, f"{term.field} is text: write {term.field}:… or {term.field}=….")
    if field.kind == "state":
        return _state(term, field, value)
    whole = term.op != ":" or field.kind == "tags"
    if _is_glob(term, value):
        test, value = "lower({}) GLOB lower(?)", value.replace("[", "[[]")
    elif whole:
        test = "lower({}) = lower(?)"
    else:
        test = "instr(lower({}), lower(?)) > 0"
    if field.kind != "tags":
        return test.format(field.sql), (value,)
    inner = f"SELECT 1 FROM json_each({field.sql}) WHERE {test.format('value')}"  # noqa: S608
    return f"({field.sql} <> '[]' AND EXISTS ({inner}))", (value,)


def _state(term: Term, field: Field, value: str) -> tuple[str, tuple[object, ...]]:
    """Test for the states whose names match, listed so that the index on states serves."""
    wanted = value.lower()
    part = term.op == ":" and not _is_glob(term, value)
    meant = [s for s in STATES if (wanted in s if part else fnmatchcase(s, wanted))]
    if not meant:
        hint = did_you_mean(value, STATES)
        raise FilterError(term.value_at, f"there is no state {cut(value, 30)!r}: {hint}")
    return f"{field.sql} IN ({', '.join('?' * len(meant))})", tuple(meant)


def _is_glob(term: Term, value: str) -> bool:
    return not term.quoted and any(character in value for character in "*?")


def _number(term: Term, field: Field, value: str) -> tuple[str, tuple[object, ...]]:
    found = _NUMBER.fullmatch(value.lower())
    if found is None:
        setting = next((each for _, each in _settings() if each.name == term.field.lower()), None)
        hint = f": the setting is {setting.full_name}" if setting and not field.setting else ""
        raise FilterError(
            term.value_at, f"{_asked(term)} wants a number, and {cut(value, 30)!r} is none{hint}."
        )
    scale = _SUFFIXES[found[4]]
    wanted = float(found[1]) * scale
    if term.op in ("<", "<=", ">", ">="):
        _check_single(term)
        return f"{field.sql} {term.op} ?", (wanted,)
    # 0.16 is whatever rounds to it: nobody types every digit. A setting was typed.
    places = len(found["places"] or found["only"] or "")
    exponent = int(found[1].lower().partition("e")[2] or 0)
    half = 0.5 * 10.0 ** max(-300, min(300, exponent - places)) * scale if places else 0.0
    if field.setting or not half:
        return f"{field.sql} = ?", (wanted,)
    return f"{field.sql} BETWEEN ? AND ?", (wanted - half, wanted + half)


def _age(term: Term, field: Field, value: str) -> tuple[str, tuple[object, ...]]:
    found = _SPAN.fullmatch(value.lower())
    if found is None or term.op not in ("<", "<=", ">", ">="):
        raise FilterError(term.value_at, "age is compared with a time, as in age<2d or age>3h.")
    _check_single(term)
    flipped = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[term.op]
    return f"{field.sql} {flipped} ?", (time.time() - float(found[1]) * _UNITS[found[2]],)


def _check_single(term: Term) -> None:
    if len(term.values) > 1:
        raise FilterError(term.value_at, f"{_asked(term)} takes one value, not several.")
