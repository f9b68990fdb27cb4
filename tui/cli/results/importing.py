"""``seqbench import``: runs of another machine, or the history of another program."""

from __future__ import annotations

from pathlib import Path

import click

from engine.interchange.place import Imported
from engine.interchange.source import take
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.session import Session, json_option, note, pass_session, say_json
from tui.shell.text import count

SHOWN = 10
"""Runs that got another id, or folders passed over, told one by one."""


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path), metavar="PATH")
@click.option(
    "--map",
    "map_",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Which tag, or column, is which metric (YAML).  [default: the reference table's]",
)
@click.option(
    "--model",
    metavar="NAME",
    shell_complete=completion.models,
    help="The model of all runs, if folders or columns don't say.",
)
@click.option(
    "--dataset",
    metavar="NAME",
    shell_complete=completion.datasets,
    help="The data set, likewise.",
)
@click.option("--length", type=click.IntRange(1, 65_536), metavar="N", help="The length, likewise.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), metavar="N", help="The seed, likewise.")
@click.option(
    "--suite",
    metavar="NAME",
    shell_complete=completion.suites,
    help="Put the imported runs into this suite.",
)
@json_option
@pass_session
def import_(
    session: Session,
    source: Path,
    map_: Path | None,
    model: str | None,
    dataset: str | None,
    length: int | None,
    seed: int | None,
    suite: str | None,
    as_json: bool,
) -> None:
    """Import an archive, or the history of other programs.
     PATH is an archive of `seqbench export`, a folder of TensorBoard event files, or a CSV file
    with one row per epoch, or several (docs/interchange.md).
     Runs from an archive are the same as where they were trained. History of other programs is
    marked as imported, and left out of means and tests unless you ask for it.
    """
    given = {"model": model, "dataset": dataset, "length": length, "seed": seed}
    fixed = {name: str(value) for name, value in given.items() if value is not None}
    with progress("Importing runs") as told:
        imported, passed_over = take(
            source, session.location, lambda: session.catalogue, map_, fixed, suite, told
        )
    _tell(imported, passed_over, as_json)


def _tell(imported: Imported, passed_over: list[str], as_json: bool) -> None:
    if as_json:
        say_json(
            {
                "added": [imported.renamed.get(run, run) for run in imported.added],
                "present": list(imported.present),
                "renamed": imported.renamed,
                "passed_over": passed_over,
            }
        )
    for sentence in passed_over[:SHOWN]:
        note(sentence)
    if len(passed_over) > SHOWN:
        note(f"… and {len(passed_over) - SHOWN} more.")
    for old, new in list(imported.renamed.items())[:SHOWN]:
        note(f"Another run is called {old} here: the imported one is {new}.")
    if len(imported.renamed) > SHOWN:
        note(f"… and {len(imported.renamed) - SHOWN} more were given another id.")
    there = f", {len(imported.present):,} were here already" if imported.present else ""
    note(f"Imported {count(len(imported.added), 'run')}{there}.")
