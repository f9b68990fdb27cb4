"""Imports the history of other programs: each run becomes a run folder, marked as imported.

Users' ranks, the data's checksum and the protocol stay unknown. The same history gives the same run
ids, so importing it again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.config import Catalogue, load_catalogue
from engine.errors import UsageError, UserError, shown
from engine.files.atomic import write_atomically
from engine.interchange.csvhistory import read_csv
from engine.interchange.histories import History
from engine.interchange.place import Imported, importing, place
from engine.interchange.tagmap import PARAMETERS, RUN_FIELDS, TagMap, load_tag_map
from engine.journal import FORMAT
from engine.progress import OnProgress, counted, untold
from engine.runfolder import RunFolder
from engine.spec.imported import ImportedSpec, Origin
from engine.specfile import save_spec
from engine.store.intake.folders import META_ATTEMPT_COLUMNS, META_COLUMNS, META_FORMAT
from engine.store.location import StoreLocation

_DIGITS = 10
_CAUSE = "imported"


def import_history(
    source: Path,
    location: StoreLocation,
    load: Callable[[], Catalogue] = load_catalogue,
    tag_map: Path | None = None,
    fixed: Mapping[str, str] | None = None,
    suite: str | None = None,
    on_progress: OnProgress = untold,
) -> tuple[Imported, list[str]]:
    """Import a folder of TensorBoard event files, or a CSV file, into the store.

    Args:
        load: reads the configuration, whose models and data sets give the runs their names.
        tag_map: a file of tags that is merged over the built-in one.
        fixed: values of `RUN_FIELDS` that override the source's.
        suite: the name of the suite that the runs are given.
        on_progress: told of runs once the source is read.

    Returns:
        The runs by what became of them, and a sentence for each part that was passed over.

    Raises:
        ConfigError, UsageError: the map is invalid, or a field of a run is unknown.
        UserError: the source can't be read or has no run in it; nothing was changed.
        StoreError: the store can't be written.
    """
    runs, passed_over = read_history(source, load, tag_map, fixed)
    with importing(location) as aside:
        folders = []
        there = [run for run in runs if location.folder(run).path.exists()]
        for run, (spec, history) in counted(list(runs.items()), on_progress, (1, 2)):
            if run not in there:
                folders.append(RunFolder(aside / run))
                _write(folders[-1], spec, history, suite)
        placed = place(location, folders, on_progress)
    return Imported(placed.added, (*there, *placed.present), placed.renamed), passed_over


def read_history(
    source: Path,
    load: Callable[[], Catalogue] = load_catalogue,
    tag_map: Path | None = None,
    fixed: Mapping[str, str] | None = None,
) -> tuple[dict[str, tuple[ImportedSpec, History]], list[str]]:
    """Return the runs that `import_history` would make, by id, and what it would pass over. The
    arguments and errors are the same."""
    known, catalogue = load_tag_map(tag_map), load()
    origin: Origin = "imported-tensorboard" if source.is_dir() else "imported-csv"
    if source.is_dir():
        from engine.interchange.eventhistory import read_event_folders  # needs an extra

        read = read_event_folders(source, known)
    else:
        read = read_csv(source, known)
    if not read.histories:
        first = f" {read.passed_over[0]}" if read.passed_over else ""
        raise UserError(f"{source} has no run in it.{first}")
    runs = {
        _run_id(spec, history): (spec, history)
        for history in read.histories
        for spec in [_spec(history, origin, known, catalogue, fixed or {})]
    }
    return runs, read.passed_over


def _spec(
    history: History,
    origin: Origin,
    known: TagMap,
    catalogue: Catalogue,
    fixed: Mapping[str, str],
) -> ImportedSpec:
    told = {**history.named, **fixed}
    for name in RUN_FIELDS:
        if not told.get(name):
            raise UsageError(f"{history.source} doesn't give the {name}: add --{name}.")
    names = {name.casefold(): ours for name, ours in known.names.items()}
    model = names.get(told["model"].casefold(), told["model"])
    dataset = names.get(told["dataset"].casefold(), told["dataset"])
    numbers = {}
    for name, most in (("length", 65_536), ("seed", 2**31 - 1)):
        if not re.fullmatch(r"[0-9]{1,10}", told[name]) or int(told[name]) > most:
            raise UsageError(f"{history.source}: {shown(told[name])} is no {name}.")
        numbers[name] = int(told[name])
    if not numbers["length"]:
        raise UsageError(f"{history.source}: '0' is no length.")
    return ImportedSpec(
        origin=origin,
        came_from=history.source.encode("utf-8", "replace").decode()[:1000],
        model=_name(model, catalogue.model),
        dataset=_name(dataset, catalogue.dataset),
        **numbers,
    )


def _name(text: str, find: Any) -> str:
    """Return the catalogue's name for ``text``, or else ``text`` turned into a valid name."""
    try:
        return str(find(text).name)
    except UsageError:
        plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")
        if not plain:
            raise UsageError(f"{shown(text)} is no name.") from None
        return plain[:40]


def _run_id(spec: ImportedSpec, history: History) -> str:
    content = [
        [spec.origin, spec.model, spec.dataset, spec.length, spec.seed],
        [[each.epoch, sorted(each.figures.items())] for each in history.epochs],
    ]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_DIGITS]
    stem = re.sub(r"\.{2,}", ".", f"{spec.model}-{spec.dataset}-l{spec.length}-s{spec.seed}")
    return f"{stem}-{digest}"


def _write(folder: RunFolder, spec: ImportedSpec, history: History, suite: str | None) -> None:
    """Write the files of a finished run, as a worker and the supervisor would have left them."""
    folder.path.mkdir(mode=0o700)
    began, ended = history.epochs[0].t, max(each.t for each in history.epochs)
    size = max((each.figures.get(PARAMETERS, 0.0) for each in history.epochs), default=0.0)
    parameters = round(size) if 0 <= size < 2**53 else 0
    save_spec(folder, spec, created=began, suite=suite, parameters=parameters)
    lines: list[dict[str, Any]] = [
        {
            "t": began,
            "kind": "start",
            "format": FORMAT,
            "run": folder.run_id,
            "attempt": 1,
            "epochs": len(history.epochs),
            "parameters": parameters or None,
        },
        *(
            {
                "t": each.t,
                "kind": "epoch",
                "epoch": each.epoch,
                **{
                    name: value if math.isfinite(value) else None
                    for name, value in each.figures.items()
                    if name != PARAMETERS
                },
            }
            for each in history.epochs
        ),
        {"t": ended, "kind": "end", "status": "done", "cause": _CAUSE, "message": ""},
    ]
    text = "".join(
        json.dumps({"seq": seq, **line}, allow_nan=False) + "\n" for seq, line in enumerate(lines)
    )
    write_atomically(folder.journal(1), text)
    attempt = dict.fromkeys(META_ATTEMPT_COLUMNS) | {
        "attempt": 1,
        "status": "done",
        "ended": ended,
        "exited": ended,
        "cause": _CAUSE,
        "message": "",
    }
    meta = dict.fromkeys(META_COLUMNS) | {
        "format": META_FORMAT,
        "note": "",
        "position": 0,
        "state": "done",
        "attempt": 1,
        "losses": 0,
        "finished": ended,
        "cause": _CAUSE,
        "message": "",
        "tags": [],
        "attempts": [attempt],
    }
    write_atomically(folder.meta, json.dumps(meta, indent=1) + "\n")
