"""A store all of whose texts are hostile, in a folder with such a name."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from live_runs import NOW, LiveStore

from engine.store.connect import connect_writer
from engine.store.database import write

FOLDER = "[red]lab[/] \x1b[31m\x1b]0;evil\x07\u202e"
COLUMNS = ("model", "dataset", "profile", "suite", "device", "cause", "message", "note")


def hostile_store(folder: Path, text: str) -> tuple[LiveStore, str]:
    """The store, and its run that failed."""
    folder.mkdir(parents=True, exist_ok=True)
    store = LiveStore(folder)
    failed = store.launch("sasrec")
    store.train(failed, 3, end="failed")
    store.train(store.launch("bert4rec"), 3)
    store.launch("xlstm")
    store.log(failed, f"{text}\n" * 3)
    with (folder / "runs" / failed / "log.txt").open("ab") as log:
        log.write(b"\xff\xfe\x9b31m" + text.encode() + b"\n")
    store.journal(failed, [{"t": NOW, "kind": "warning", "message": text[:50_000]}])
    with closing(connect_writer(store.location)) as connection, write(connection):
        values = ", ".join(f"{name} = :text" for name in COLUMNS)
        connection.execute(f"UPDATE runs SET {values}", {"text": text})
        connection.execute(
            "UPDATE attempts SET device = :text, host = :text, slot = :text, cause = :text,"
            " message = :text, dtype = :text",
            {"text": text},
        )
        connection.execute("UPDATE specs SET spec = ?", (json.dumps(spoilt(text)),))
        started = {"device": text, "torch": text, "python": text, "host": text, "code": text}
        connection.execute(
            "UPDATE events SET fields = ? WHERE kind = 'start'",
            (json.dumps({**started, "checksum": text, "dtype": text, "resumed_epoch": 1}),),
        )
        connection.execute("INSERT INTO warnings VALUES (?, 1, 0, ?)", (failed, text))
    return store, failed


def spoilt(text: str) -> dict[str, Any]:
    inner = {"model": text, text: text, "list": [text, text], "mapping": {text: text}}
    names = {"model": text, "dataset": text, "length": 50, "seed": 1, "profile": text}
    return {**names, "architecture": inner, "training": inner, "source": {"name": text}}
