"""``seqbench data``: which data sets there are, fetching and checking them.

Only fetching needs the downloader, only checking needs numpy: the list of data sets waits for
neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.datasets.confirm import confirm
from engine.datasets.locate import is_ready, locate
from engine.progress import counted
from engine.spec import Dataset
from tui.cli import completion
from tui.cli.data.judging import judge
from tui.cli.data.own import derive, import_, show
from tui.cli.output import on_terminal
from tui.cli.progress import progress
from tui.cli.session import (
    Session,
    json_option,
    note,
    pass_session,
    say,
    say_json,
    say_table,
)
from tui.shell.text import bytes_

if TYPE_CHECKING:
    from engine.datasets.download import Progress

OTHER = "other"
COPY = {True: "confirmed", False: OTHER, None: "unconfirmed"}
"""Words for `engine.datasets.confirm.Confirmation.confirmed`."""


@click.group()
def data() -> None:
    """List, fetch and check data sets."""


for command in (show, judge, import_, derive):
    data.add_command(command)


@data.command("ls")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the data sets and where they are."""
    sets = [_described(dataset) for dataset in session.catalogue.datasets.values()]
    if as_json:
        say_json(sets)
        return
    rows = []
    for each in sets:
        size = f"not here: {bytes_(each['bytes'])} to fetch" if each["bytes"] else "not here"
        where = {"built-in": "built in"}.get(each["origin"], each["folder"] or size)
        figures = [
            f"{each[key]:,}{'?' if key in each['unconfirmed'] else ''}"
            for key in ("users", "items", "interactions")
        ]
        rows.append([each["name"], *figures, each["copy"] or "", where])
    headings = ["DATASET", "USERS", "ITEMS", "INTERACTIONS", "COPY", "WHERE"]
    say_table(headings, rows, right="USERS ITEMS INTERACTIONS")
    for each in sets:
        if each["copy"] == OTHER:
            note(each["copy_note"])
        if each["doubt"]:
            note(f"{each['name']}: {each['doubt']}")


def _described(dataset: Dataset) -> dict[str, Any]:
    located = locate(dataset)
    origin = located.origin if located else "built-in" if dataset.synthetic else None
    found = confirm(dataset)
    return {
        "name": dataset.name,
        "title": dataset.title,
        "aliases": list(dataset.aliases),
        "users": dataset.users,
        "items": dataset.items,
        "interactions": dataset.interactions,
        "unconfirmed": list(dataset.unconfirmed),
        "doubt": dataset.doubt,
        "ready": origin is not None,
        "origin": origin,
        "folder": str(located.folder) if located else None,
        "copy": COPY[found.confirmed] if found else None,
        "copy_note": found.sentence if found else "",
        "bytes": dataset.archive.bytes if dataset.archive else None,
        "license": dataset.license,
    }


@data.command()
@click.argument(
    "names", metavar="DATASET...", nargs=-1, required=True, shell_complete=completion.datasets
)
@json_option
@pass_session
def fetch(session: Session, names: tuple[str, ...], as_json: bool) -> None:
    """Download data sets from where they are published."""
    from engine.datasets.download import offer

    fetched: list[dict[str, Any]] = []
    for dataset in [session.catalogue.dataset(name) for name in dict.fromkeys(names)]:
        if not is_ready(dataset):
            note(offer(dataset))
            if dataset.license:
                note(f"Licence: {dataset.license}")
        if dataset.synthetic is not None:
            note(f"{dataset.title} is built in and needs no fetching.")
        else:
            with _progress(dataset) as on_progress:
                folder = _fetch(dataset, on_progress)
            located = locate(dataset)
            if not as_json:
                say(str(folder))
            fetched.append(
                {
                    "name": dataset.name,
                    "folder": str(folder),
                    "origin": located.origin if located else None,
                }
            )
    if as_json:
        say_json(fetched)


def _fetch(dataset: Dataset, on_progress: Callable[[Progress], None]) -> Path:
    from engine.datasets.download import fetch

    try:
        return fetch(dataset, on_progress)
    except KeyboardInterrupt:
        note("Stopped: what has arrived is kept, and the next fetch continues from there.")
        raise


@contextmanager
def _progress(dataset: Dataset) -> Iterator[Callable[[Progress], None]]:
    """Show progress on stderr: a bar on a terminal, a line at the end elsewhere."""
    if on_terminal():
        with progress(dataset.name, of_bytes=True) as told:
            yield lambda arrived: told(arrived.done, arrived.total)
        return
    total = 0

    def take(arrived: Progress) -> None:
        nonlocal total
        total = arrived.total

    yield take
    if total:
        note(f"{dataset.name}: {bytes_(total)} fetched")


@data.command()
@click.argument("names", metavar="[DATASET]...", nargs=-1, shell_complete=completion.datasets)
@json_option
@pass_session
@click.pass_context
def verify(ctx: click.Context, session: Session, names: tuple[str, ...], as_json: bool) -> None:
    """Check data sets against what is published.
    Without names, checks all that are on this machine.
    """
    from engine.datasets.load import verify

    catalogue = session.catalogue
    chosen = [catalogue.dataset(name) for name in dict.fromkeys(names)] or [
        dataset for dataset in catalogue.datasets.values() if is_ready(dataset)
    ]
    with progress("Checking data sets") as told:
        found = {dataset.name: verify(dataset) for dataset in counted(chosen, told)}
    if as_json:
        say_json([{"name": name, "problems": problems} for name, problems in found.items()])
    else:
        for name, problems in found.items():
            for line in problems or [_verified(catalogue.dataset(name))]:
                say(f"{name}: {line}")
    if any(found.values()):
        ctx.exit(1)


def _verified(dataset: Dataset) -> str:
    """Say what a data set without problems was compared with."""
    found = confirm(dataset)
    unknown = found.sentence if found is not None and found.confirmed is None else ""
    if dataset.doubt:
        return f"can be read. {dataset.doubt} {unknown}".strip()
    return f"has the published counts; {unknown}" if unknown else "is as published."
