"""Importing a run's folder into the store: its files become rows."""

from __future__ import annotations

import json
from typing import Any

from engine.errors import StoreError
from engine.runfolder import RunFolder
from engine.spec import RunSpec, settings_digest
from engine.spec.imported import ImportedSpec
from engine.specfile import OtherSpec, load_spec_file, parse_any, parse_other
from engine.store.database import StoreConnection, insert, write
from engine.store.intake.evaluations import keep_evaluations
from engine.store.intake.folders import META_COLUMNS, load_meta
from engine.store.intake.ingest import ingest, refresh
from engine.store.settings import keep_settings, told_by


def import_run(connection: StoreConnection, folder: RunFolder) -> bool:
    """Add a run that the store doesn't have; return whether the folder is a run's.

    Files that can't be read are skipped, and named in the table ``warnings``.

    Raises:
        StoreError: the store can't be written.
    """
    run = folder.run_id
    spec: RunSpec | ImportedSpec | OtherSpec
    try:
        content = load_spec_file(folder)
        try:
            spec = parse_any(folder, content)
            text = spec.model_dump_json()
        except StoreError:
            spec, text = parse_other(folder, content), json.dumps(content.spec)
    except StoreError as error:
        _warn(connection, run, str(error))
        return False
    try:
        meta = load_meta(folder)
    except StoreError as error:
        _warn(connection, run, str(error))
        meta = _default_meta()
    journals = [attempt for attempt, _ in folder.journals()]
    newest = max(journals, default=0)
    if newest > meta["attempt"] or (newest == meta["attempt"] and meta["state"] == "queued"):
        # It was started after meta.json was last written.
        meta |= {"attempt": newest, "state": "running"}
    known = json.loads(text)
    values = {
        "id": run,
        "model": spec.model,
        "dataset": spec.dataset,
        "length": spec.length,
        "seed": spec.seed,
        "profile": spec.recipe,
        "suite": content.suite,
        "fingerprint": content.fingerprint,
        "created": content.created,
        "origin": spec.origin if isinstance(spec, ImportedSpec) else "",
        **told_by(spec if isinstance(spec, RunSpec) else None),
        "parameters": content.parameters or None,
        "tags": json.dumps(meta["tags"], ensure_ascii=False),
        "settings": settings_digest(known),
        "saved": 1,
        **{name: meta[name] for name in META_COLUMNS},
    }
    try:
        with write(connection):
            (configuration,) = keep_settings(connection, [known])
            insert(connection, "runs", [values | {"configuration": configuration}])
            insert(connection, "specs", [{"run": run, "spec": text}])
            insert(connection, "summaries", [{"run": run}])
            insert(connection, "attempts", [{"run": run, **each} for each in meta["attempts"]])
    except StoreError as error:
        _warn(connection, run, str(error))
        return False
    for attempt in journals:
        try:
            ingest(connection, folder, attempt)
        except OSError as error:
            _warn(connection, run, f"{folder.journal(attempt)} can't be read: {error.strerror}.")
    with write(connection):
        keep_evaluations(connection, folder)
        refresh(connection, run)
        connection.execute(_CLOSE_OLD_ATTEMPTS, {"run": run})
        connection.execute(_OPEN_RUNNING_ATTEMPT, {"run": run})
        connection.execute("UPDATE runs SET saved = revision WHERE id = ?", (run,))
    return True


_CLOSE_OLD_ATTEMPTS = """
UPDATE attempts SET exited = coalesce(exited, ended, last_growth, launched, 0)
WHERE run = :run AND NOT EXISTS (
    SELECT 1 FROM runs WHERE id = :run AND state = 'running' AND runs.attempt = attempts.attempt)
"""
_OPEN_RUNNING_ATTEMPT = """
INSERT OR IGNORE INTO attempts (run, attempt, status)
SELECT id, attempt, 'starting' FROM runs WHERE id = :run AND state = 'running'
"""


def _default_meta() -> dict[str, Any]:
    return {
        **dict.fromkeys(META_COLUMNS),
        "note": "",
        "tags": [],
        "position": 0,
        "state": "queued",
        "attempt": 1,
        "losses": 0,
        "attempts": [],
    }


def _warn(connection: StoreConnection, run: str, problem: str) -> None:
    with write(connection):
        connection.execute(
            "INSERT OR IGNORE INTO warnings (run, attempt, offset, problem) VALUES (?, 0, 0, ?)",
            (run, problem),
        )
