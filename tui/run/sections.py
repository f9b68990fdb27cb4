"""The sections of a run's page, as text. No widget here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from engine.analysis.columns.definitions import SORT, Kind, Value
from engine.analysis.columns.meanings import meaning
from engine.analysis.columns.offered import column_named
from engine.analysis.columns.text import figure
from engine.analysis.pairs.users import UserIntervals
from engine.analysis.provenance import model_file_of
from engine.analysis.run.beyond import completing, result_tables
from engine.analysis.run.details import RunDetails
from engine.analysis.run.otherrules import NOTE, other_rules
from engine.analysis.run.remedy import Remedy
from engine.analysis.run.throughput import GpuIdle, interactions_per_second
from engine.evaluated import ceiling_of, evaluated_of
from engine.fitted import chosen_settings, combination_text, is_fitted
from engine.lifecycle import DIED
from engine.marks import MEANING
from engine.metrics import RUN_ENERGY, SPEEDS
from engine.store.jobs import job_of
from tui.shell.states import IMPORTED, MARKED, STATE_MEANING, glyph, style_variable
from tui.shell.text import ABSENT, PARAGRAPH, ago, count, duration, number, plain, short_path

_METRICS = (
    ("ndcg", "NDCG@10"),
    ("recall", "Recall@10"),
    ("mrr", "MRR@10"),
)
_ROWS = (
    ("valid", "", "validation, all items"),
    ("test", "", "test, all items"),
    ("valid", "_masked", "validation, seen masked"),
    ("test", "_masked", "test, seen masked"),
)
_TOTALS: tuple[tuple[str, str, Kind], ...] = (
    ("EpochTime, median", "train_seconds_median", "seconds"),
    ("EpochCPUTime, median", "cpu_seconds_median", "seconds"),
    ("EpochEnergy, J", "joules_per_epoch", "real"),
    ("EnergyToBest, J", "joules_to_best", "real"),
    ("EnergyToQuality, J", "joules_to_quality", "real"),
    ("TotalEnergy, J", "joules", "real"),
    ("EnergyOf", "joules_of", "text"),
    ("Loss/train, sum", "loss_sum_best", "real"),
    ("Loss/train, per target", "loss_best", "real"),
    ("GradientNorm", "grad_norm_best", "real"),
    ("LearningRate", "lr_best", "rate"),
    ("Parameters", "parameters", "whole"),
    ("GPU memory, MiB", "gpu_memory_mib_best", "whole"),
    ("GPU utilization, %", "gpu_utilization_best", "whole"),
    ("Users/s, batch 1", "users_per_second_1", "whole"),
    ("Users/s, batch 256", "users_per_second_256", "whole"),
)

_OF_TRAINING = ("loss_sum_best", "loss_best", "grad_norm_best", "lr_best")
"""Figures that a fitted model doesn't have."""

_WHERE_KNOWN = (*RUN_ENERGY, "joules_to_quality", "joules_of")
"""Figures that few machines tell, which aren't shown as absent."""

_SOURCE = ("name", "size", "reader", "users", "items", "interactions", "files", "synthetic")

MUTED = "$text-muted"

LONGEST_NAME = 24


def topics(details: RunDetails, found: Remedy | None) -> Iterator[tuple[str, str]]:
    """What help explains: the state, what to try, and the figure that runs are judged by."""
    state = details.run.state
    if (known := STATE_MEANING.get(state)) is not None:
        yield f"{glyph(state)} {state}", f"{known.capitalize()}."
    if found is not None:
        yield found.title, found.advice
    if details.epochs:
        yield SORT, meaning(column_named(SORT), "best")


def heading(details: RunDetails, idle: GpuIdle | None, width: int) -> Content:
    """State, cell and outcome; the id where there is room."""
    run = details.run
    cell = plain(f"{run.model} × {run.dataset} × {run.length}", 120)
    who = f"   seed {run.seed}   profile {plain(run.profile, 40)}"
    name = f"   {plain(run.id)}"
    used = cell_len(f"{glyph(run.state)} {run.state}   {cell}{who}{name}")
    sign = IMPORTED if run.origin else glyph(run.state)
    first = Content.assemble(
        (f"{sign} {plain(run.state)}", f"{style_variable(run.state)} bold"),
        ("   ", ""),
        (cell, "bold"),
        (who, ""),
        (name if used <= width else "", MUTED),
    )
    outcome = _became(details, idle)
    lines = [first, Content.styled(outcome, "$error" if run.state == "failed" else MUTED)]
    if run.note:
        lines.append(Content.assemble(("note  ", MUTED), (plain(run.note, PARAGRAPH), "$accent")))
    return Content("\n").join(lines)


def _became(details: RunDetails, idle: GpuIdle | None) -> str:
    run, figures = details.run, details.figures
    trained = figures.get("epochs_trained")
    parts = []
    best, refit = int(figures.get("best_epoch") or 0), run.refits is not None
    if trained and is_fitted(details.spec):
        tried = f"{count(int(trained), 'combination')} tried, best {best}"
        parts.append("fitted again, validation included" if refit else tried)
        parts.append(plain(combination_text(chosen_settings(details.epochs, best)), PARAGRAPH))
    elif trained:
        epochs = f"{count(int(trained), 'epoch')} trained"
        parts.append(f"{epochs}{', validation included' if refit else f', best epoch {best}'}")
    seconds = figures.get("total_seconds")
    if isinstance(seconds, int | float) and seconds:
        parts.append(duration(seconds))
    epoch = figures.get("train_seconds_median")
    epoch_seconds = epoch if isinstance(epoch, int | float) else None
    rate = interactions_per_second(details.started, epoch_seconds)
    if rate is not None and not is_fitted(details.spec):
        parts.append(f"{rate:,.0f} interactions/s")
    if idle is not None:
        parts.append(idle.words)
    if run.state in DIED:
        pass  # the card of the failure says why
    elif run.message and run.message.lower() != f"{run.state}.":
        parts.append(plain(run.message, PARAGRAPH).removesuffix("."))
    elif run.state != "done":
        parts.append(STATE_MEANING.get(run.state, plain(run.state)))
    if run.finished:
        parts.append(f"ended {ago(run.finished)}")
    return " · ".join(filter(None, parts))


def failure(found: Remedy, message: str, log: Sequence[str], resumable: bool) -> Content:
    """Say what happened and what to try, with its keys, and show the last lines of the log.

    Args:
        resumable: whether there is a checkpoint to resume from.
    """
    lines = [Content(plain(message, PARAGRAPH))] if message else []
    if found.settings:
        usual = ", as in its recipe" if found.of_recipe else ""
        change = f"  Try fix: a new run with {plain(found.change)}{usual}"
        lines.append(Content.assemble(("T", "$accent bold"), (change, "")))
    if found.retry:
        lines.append(Content(plain(found.advice)))
        again = "  Retry from its last checkpoint" if resumable else "  Retry from the start"
        lines.append(Content.assemble(("t", "$accent bold"), (again, "")))
    elif not found.settings:
        lines.append(Content(plain(found.advice)))
    if log:
        lines += [Content(""), *(Content.styled(line, MUTED) for line in log)]
    return Content("\n").join(lines)


def result(
    details: RunDetails, intervals: UserIntervals | str | None = None, floor: str = ""
) -> Content:
    """Metrics at the chosen epoch, both splits and both rankings, then the rest of that epoch, and
    times. ``intervals`` may be a sentence why there are none, which isn't shown; ``floor`` says
    where the cell stands against the floor."""
    figures, ceiling = details.figures, ceiling_of(details.started)
    rows = [("", [name for _, name in _METRICS])]
    for split, ranking, label in _ROWS:
        if split == "valid" and details.run.refits is not None:
            continue  # it trained on validation
        if split == "test" and details.run.study is not None:
            continue  # a study chooses by validation
        values = [figures.get(f"{split}_{metric}{ranking}_best") for metric, _ in _METRICS]
        rows.append((label, [figure(value, "metric") for value in values]))
        if label == "test, all items" and isinstance(intervals, UserIntervals):
            spans = [intervals.text(metric) for metric, _ in _METRICS]
            rows.append(("  95 % over users", spans))
        if label == "test, all items" and ceiling and ceiling.cold:
            rows.append(("  upper bound", [figure(ceiling.highest, "metric")] * len(_METRICS)))
    label_width = max(len(label) for label, _ in rows)
    widths = [max(len(name), len(".055–.067")) for _, name in _METRICS]
    lines = []
    for place, (label, texts) in enumerate(rows):
        cells = "".join(f"  {text:>{width}}" for text, width in zip(texts, widths, strict=True))
        strong = "" if place and not label.startswith(" ") else MUTED
        if label == "test, all items":
            strong = "bold"
        lines.append(Content.assemble((f"{label:<{label_width}}", MUTED), (cells, strong)))
    if floor:
        room = label_width + sum(width + 2 for width in widths)
        lines += [Content(text) for text in wrap(plain(floor, PARAGRAPH), room)]
    if isinstance(intervals, UserIntervals) and intervals.warning:
        room = label_width + sum(width + 2 for width in widths)
        for number, text in enumerate(wrap(intervals.warning, room - 2)):
            lines.append(Content.assemble(("  " if number else "! ", "$warning"), text))
    lines.append(Content(""))
    pairs = [
        (label, figure(figures.get(source), kind))
        for label, source, kind in _TOTALS
        if not (is_fitted(details.spec) and source in _OF_TRAINING)
        and not (source in _WHERE_KNOWN and figures.get(source) is None)
        and not (source in SPEEDS and details.run.study is not None)
    ]
    half = (len(pairs) + 1) // 2
    first, second = (max(len(label) for label, _ in some) for some in (pairs[:half], pairs[half:]))
    left = [(label, text) for label, text in pairs[:half]]
    right = [(label, text) for label, text in pairs[half:]]
    room = max(9, *(len(text) for _, text in left))
    for index, (label, text) in enumerate(left):
        parts = [(f"{label:<{first}}", MUTED), (f" {text:>{room}}", "")]
        if index < len(right):
            other, value = right[index]
            parts += [(f"   {other:<{second}}", MUTED), (f" {value:>9}", "")]
        lines.append(Content.assemble(*parts))
    return Content("\n").join(lines)


def beyond(details: RunDetails) -> Content:
    """Other cut-offs, popular and rare items, what is recommended; empty where none is known."""
    lines: list[Content] = []
    for table in result_tables(details.figures):
        (title, head), *rows = table.lines
        if lines:
            lines.append(Content(""))
        lines.append(Content.assemble((title, "bold"), (head, MUTED)))
        lines += [Content.assemble((label, MUTED), (texts, "")) for label, texts in rows]
    if more := completing(details.run.id, details.figures):
        lines.append(Content.styled(more, MUTED))
    return Content("\n").join(lines)


def elsewhere(details: RunDetails) -> Content:
    """Metrics under other rules of targets; empty without any."""
    table = other_rules(details.evaluations.values())
    if table is None:
        return Content("")
    (title, head), *rows = table.lines
    lines = [Content.styled(f"{'':<{len(title)}}{head}", MUTED)]
    lines += [Content.assemble((label, MUTED), (texts, "")) for label, texts in rows]
    return Content("\n").join([*lines, Content.styled(NOTE, MUTED)])


def configuration(details: RunDetails) -> Content:
    """The whole configuration, section by section; no training of a fitted model."""
    lines: list[Content] = []
    for section in ("architecture", "training", "source"):
        content = details.spec.get(section)
        if not isinstance(content, Mapping) or (section == "training" and is_fitted(details.spec)):
            continue
        if lines:
            lines.append(Content(""))
        lines.append(Content.styled("data set" if section == "source" else section, "bold"))
        kept = {
            key: value
            for key, value in content.items()
            if value not in (None, "", [], {}) and (section != "source" or key in _SOURCE)
        }
        lines += pairs_lines([(key, _setting(value)) for key, value in kept.items()])
    return Content("\n").join(lines)


def marks(details: RunDetails, further: str | None = None, goes_on: bool = False) -> Content:
    """Its marks, each with its meaning, and the command that trains what is still improving.

    Args:
        further: the command.
        goes_on: whether it goes on from a checkpoint, for which there is a key.
    """
    lines = [
        Content.assemble(
            (f"{MARKED} ", "$warning"),
            (plain(f"{mark}: {MEANING.get(mark, '')}", PARAGRAPH), ""),
        )
        for mark in (details.run.marks or "").split()
    ]
    if further is not None:
        key = (
            [("m", "$accent bold"), (" for more epochs, or ", "")]
            if goes_on
            else [("try  ", MUTED)]
        )
        lines.append(Content.assemble(*key, (plain(further), "$accent")))
    return Content("\n").join(lines)


def provenance(details: RunDetails, label: str = "", room: int = 0) -> Content:
    """Data, code and machine: runs that agree in them have comparable figures.

    Args:
        label: what tells its cell from others of its model, data set and length.
        room: cells across; 0 if that isn't known yet.
    """
    start = details.started
    run, known, evaluated = details.run, details.provenance, evaluated_of(start)
    ceiling = None if run.study else ceiling_of(start)
    checksum = known.get("checksum")
    data = [
        f"{start[name]:,} {name}"
        for name in ("users", "items", "interactions")
        if isinstance(start.get(name), int)
    ]
    facts = [
        *_origin(details),
        ("continues", str(details.spec.get("continues") or "")),
        ("refits", run.refits or ""),
        ("trial", plain(f"{run.trial} of {run.study}") if run.study else ""),
        ("data set", str(checksum)[:12] if checksum else ABSENT),
        ("", ", ".join(data)),
        ("evaluated", evaluated.words if evaluated else ""),
        ("test metrics", ceiling.words if ceiling else ""),
        ("protocol", _text(known.get("protocol"))),
        ("settings", label),
        ("model file", model_file_of(details.spec) or ""),
        ("code", _text(known.get("code"))),
        ("commit", _commit(start)),
        ("torch", _text(known.get("torch"))),
        ("python", _text(start.get("python"))),
        ("cuda", str(start.get("cuda") or "")),
        ("driver", str(start.get("driver") or "")),
        ("device", _text(known.get("device"))),
        ("dtype", "" if is_fitted(details.spec) else _text(known.get("dtype"))),
        ("threads", _text(start.get("threads"))),
        ("host", _text(start.get("host"))),
    ]
    return Content("\n").join(pairs_lines([(k, v) for k, v in facts if v], room))


def _origin(details: RunDetails) -> list[tuple[str, str]]:
    """How an imported run came; nothing for our own."""
    if not details.run.origin:
        return []
    came_from = plain(str(details.spec.get("came_from") or ""), PARAGRAPH)
    how = details.run.origin.removeprefix("imported-")
    return [("imported", f"{how}, {came_from}"), ("", "no per-user ranks, so no significance test")]


def _commit(start: Mapping[str, Any]) -> str:
    commit = start.get("commit")
    if not isinstance(commit, str):
        return ""
    return f"{commit[:10]}, with local changes" if start.get("dirty") else commit[:10]


def attempts(details: RunDetails) -> Content:
    """A line for each attempt, then the warnings."""
    lines = []
    for attempt in details.attempts:
        began, ended = attempt.get("started"), attempt.get("ended")
        took = duration(ended - began) if began and ended else ABSENT
        status = plain(str(attempt.get("status") or ""), 10)
        resumed = attempt.get("resumed_epoch")
        text = f"{status:<10} {took:>9}  {_text(attempt.get('device'))}"
        if resumed:
            text += f", resumed after epoch {resumed}"
        lines.append(Content.assemble((f"{attempt.get('attempt')}  ", MUTED), (text, "")))
        if (job := job_of(attempt)) is not None:
            lines.append(Content.styled(f"   {plain(job.text, PARAGRAPH)}", MUTED))
    lines += [
        Content.assemble(("! ", "$warning"), (plain(warning, PARAGRAPH), ""))
        for warning in details.warnings
    ]
    if not lines:
        return Content.styled("Not started.", MUTED)
    return Content("\n").join(lines)


def files(folder: Path, command: str) -> Content:
    """The run's id and folder, and the command that launches it again."""
    return Content.assemble(
        ("run       ", MUTED),
        (plain(folder.name), ""),
        ("\nfolder    ", MUTED),
        (short_path(folder, 100), ""),
        ("\nrelaunch  ", MUTED),
        (plain(command) or "trained by another program", "$accent" if command else MUTED),
    )


def pairs_lines(pairs: Iterable[tuple[str, str]], room: int = 0) -> list[Content]:
    """A line for each name and value; with ``room`` cells across, as many as the value needs."""
    listed = [(plain(name, LONGEST_NAME), plain(value, PARAGRAPH)) for name, value in pairs]
    width = max((cell_len(name) for name, _ in listed), default=0)
    return [
        Content.assemble((f"{set_cell_size('' if number else name, width)}  ", MUTED), (part, ""))
        for name, value in listed
        for number, part in enumerate(wrap(value, max(room - width - 2, 20)) if room else [value])
    ]


def _setting(value: Value | list[Any] | dict[str, Any]) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_setting(inner)}" for key, inner in value.items())
    return json.dumps(value)


def _text(value: object) -> str:
    if value is None or value == "":
        return ABSENT
    return number(value, 2) if isinstance(value, float) else plain(str(value), PARAGRAPH)
