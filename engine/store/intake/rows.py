"""From journal lines to rows: whatever a line may hold, either a value that its column takes or a
problem to report, never an exception."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from engine.journal import FORMAT, JournalLine
from engine.metrics import EPOCH_MEASURES, RESULT_OF, SPEEDS
from engine.store.schema import EPOCH_INTEGERS, TELEMETRY_MEASURES

EVENTS = frozenset({"start", "warning", "checkpoint", "end"})
END_STATUSES = frozenset({"done", "failed", "cancelled", "preempted"})

MAX_INTEGER = 2**63 - 1
MAX_TEXT = 2_000
"""Characters of a name or a sentence; what is longer is cut."""
MAX_EVENT = 100_000
"""Characters of an event's fields; what is longer is left out."""


@dataclass
class Reader:
    """Takes typed values out of one line's fields, and notes what is wrong with the others."""

    line: JournalLine
    problems: list[str] = field(default_factory=list)

    def real(self, name: str) -> float | None:
        """Return a field that must be a finite number; ``None`` if it is absent, null or wrong."""
        value = self.line.fields.get(name)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return number
        self._refuse(name)
        return None

    def whole(self, name: str) -> int | None:
        """Return a field that must be an integer from 0 to the largest that SQLite holds."""
        value = self.line.fields.get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INTEGER:
            return value
        self._refuse(name)
        return None

    def text(self, name: str) -> str | None:
        """Return a field that must be text, without halves of characters that UTF-8 can't hold."""
        value = self.line.fields.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            return value[:MAX_TEXT].encode("utf-8", "replace").decode()
        self._refuse(name)
        return None

    def mapping(self, name: str) -> str | None:
        """Return, as JSON, a field that must be an object."""
        value = self.line.fields.get(name)
        if value is None:
            return None
        if isinstance(value, dict):
            with suppress(ValueError, RecursionError):
                text = json.dumps(_strict(value), ensure_ascii=False, allow_nan=False)
                if len(text) <= MAX_EVENT:
                    return text.encode("utf-8", "replace").decode()
        self._refuse(name)
        return None

    def reals(self, names: Iterable[str]) -> list[float | None]:
        return [self.real(name) for name in names]

    def wholes(self, names: Iterable[str]) -> list[int | None]:
        return [self.whole(name) for name in names]

    def event(self) -> str | None:
        """Write all fields as JSON, with null for NaN and infinities; ``None`` if too long."""
        try:
            text = json.dumps(_strict(self.line.fields), ensure_ascii=False, allow_nan=False)
        except (ValueError, RecursionError):
            self.problems.append(f"{self.line.kind}: can't be kept")
            return None
        if len(text) > MAX_EVENT:
            self.problems.append(f"{self.line.kind}: is too long to be kept")
            return None
        return text.encode("utf-8", "replace").decode()

    def _refuse(self, name: str) -> None:
        self.problems.append(f"{self.line.kind}: {name} is not what it should be")


def step_row(reader: Reader) -> list[Any] | None:
    """Return the values after ``run, attempt, seq, t`` for the table ``steps``; ``None`` without
    step and epoch."""
    step, epoch = reader.wholes(("step", "epoch"))
    if step is None or epoch is None:
        reader.problems.append("step: needs step and epoch")
        return None
    return [step, epoch, *reader.reals(("loss", "grad_norm", "lr"))]


def epoch_row(reader: Reader) -> list[Any] | None:
    """Return the epoch's number and the values for the table ``epochs`` from ``step`` on; ``None``
    without a number."""
    epoch = reader.whole("epoch")
    if epoch is None:
        reader.problems.append("epoch: needs epoch")
        return None
    return [
        epoch,
        *reader.wholes(EPOCH_INTEGERS),
        *reader.reals(EPOCH_MEASURES),
        reader.mapping("settings"),
    ]


def telemetry_row(reader: Reader) -> list[Any]:
    """Return the values after ``run, attempt, seq, t`` for the table ``telemetry``."""
    return [*reader.reals(TELEMETRY_MEASURES)]


def start_facts(reader: Reader) -> dict[str, Any]:
    """Return the columns of ``attempts`` that a ``start`` line tells, by name."""
    written = reader.whole("format")
    if written is not None and written > FORMAT:
        reader.problems.append(
            f"start: a newer seqbench wrote this journal (format {written}); the parts that are "
            "known are used"
        )
    facts: dict[str, Any] = {
        name: reader.whole(name)
        for name in (
            "pid",
            "start_ticks",
            "threads",
            "epochs",
            "steps_per_epoch",
            "parameters",
            "resumed_epoch",
        )
    }
    texts = ("boot_id", "host", "device", "device_kind", "dtype", "checksum", "worker")
    facts.update((name, reader.text(name)) for name in texts)
    confirmed = reader.line.fields.get("confirmed")
    facts["confirmed"] = int(confirmed) if isinstance(confirmed, bool) else None
    return {name: value for name, value in facts.items() if value is not None}


def end_facts(reader: Reader) -> dict[str, Any] | None:
    """Return the columns of ``attempts`` that an ``end`` line tells, by name; ``None`` without a
    status that is known."""
    status = reader.text("status")
    if status not in END_STATUSES:
        reader.problems.append("end: has no known status")
        return None
    return {
        "status": status,
        "cause": reader.text("cause"),
        "message": reader.text("message"),
        **{name: reader.real(name) for name in (*SPEEDS, "speed_cpu_share")},
        "ended": reader.line.t,
    }


def end_results(reader: Reader) -> dict[str, float]:
    """Return the results that a finished run's ``end`` line tells, by name; none of a run of an
    earlier version. A name of another version is passed over."""
    value = reader.line.fields.get("results")
    if value is None:
        return {}
    if not isinstance(value, dict):
        reader.problems.append("end: results is not what it should be")
        return {}
    of_results = Reader(replace(reader.line, fields=value), reader.problems)
    found = {name: of_results.real(name) for name in RESULT_OF}
    return {name: figure for name, figure in found.items() if figure is not None}


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
