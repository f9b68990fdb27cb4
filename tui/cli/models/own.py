"""``seqbench models new`` and ``check``: a model of one's own, begun and examined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

import click

from engine.asking.modelcheck import OF_MODEL, OF_RUN, Verdict, examine_model, examine_run
from engine.config import Catalogue, user_layer
from engine.errors import UsageError
from engine.modelinfo.new import write_new
from engine.runfolder import run_folder
from engine.store.queries import resolve_run
from tui.cli import completion
from tui.cli.output import terminal_width
from tui.cli.progress import progress
from tui.cli.session import Session, json_option, pass_session, say, say_json
from tui.shell.text import wrap

DATASET, LENGTH, SEED = "synthetic", 16, 1

TITLES: Mapping[str, str] = {
    "parameters": "Parameters",
    "finite": "Finite values",
    "padding": "Padding inert",
    "future": "No look ahead",
    "rows": "Rows independent",
    "reproduces": "Reproduces",
    "resumes": "Resumes exactly",
    "learns": "Learns",
    "targets": "Targets in place",
    "order": "Uses order",
    "floor": "Beats the floor",
    "graph": "CUDA graph",
    "speed": "Speed",
}
SIGNS = {True: "✓", False: "✗", None: "–"}
INDENT = 20
"""Cells before what was found."""


@click.command()
@click.argument("name")
@click.option(
    "--like",
    metavar="MODEL",
    shell_complete=completion.entries("models"),
    help="Copy the file of this model, which comes with seqbench.",
)
@pass_session
def new(session: Session, name: str, like: str | None) -> None:
    """Write a model's file to begin with.

    It is models/NAME.py next to your configs/, and works as it is: a causal convolution that
    predicts the next item, or a copy of a model that comes with seqbench.
    """
    _refuse_taken(session.catalogue, name)
    folder = user_layer(session.config_dir).absolute().parent / "models"
    path = write_new(folder, name, like)
    say(str(path))


def _refuse_taken(catalogue: Catalogue, name: str) -> None:
    wanted = name.lower().replace("_", "-")
    if wanted in _names(catalogue):
        raise UsageError(f"there is a model {wanted} already: choose another name.")


def _names(catalogue: Catalogue) -> set[str]:
    """Return all names of models in small letters, also of those whose file can't be used."""
    entries = catalogue.models.values()
    names = {each.lower() for entry in entries for each in (entry.name, *entry.aliases)}
    return names | set(catalogue.infos)


@click.command()
@click.argument("name", metavar="MODEL|RUN", shell_complete=completion.entries("models"))
@click.option("--profile", default="reference", show_default=True, help="The model's recipe.")
@json_option
@pass_session
@click.pass_context
def check(ctx: click.Context, session: Session, name: str, profile: str, as_json: bool) -> None:
    """Examine a model in about a minute, or a finished run.

    A model is trained on small made histories, on the CPU. A run is examined with its weights, on
    its data. There is a line for each check: passed (✓), failed (✗), or it doesn't apply or can't
    tell (–). The exit status is 1 if one failed.
    """
    verdicts, total = _examination(session, name, profile)
    found: list[Verdict] = []
    while len(found) < total:
        with progress("Checking", soon=0.5) as told:
            told(len(found), total)
            verdict = next(verdicts)
        found.append(verdict)
        if not as_json:
            _say(verdict)
    if as_json:
        say_json([asdict(verdict) for verdict in found])
    if any(verdict.passed is False for verdict in found):
        ctx.exit(1)


def _examination(session: Session, name: str, profile: str) -> tuple[Iterator[Verdict], int]:
    """Begin to examine a model by its name or, if none is called so, a run."""
    catalogue = session.catalogue
    if name.lower() in _names(catalogue) or not session.has_store:
        spec = catalogue.run_spec(name, DATASET, LENGTH, SEED, profile)
        return examine_model(spec), len(OF_MODEL)
    with session.reader() as connection:
        run = resolve_run(connection, name).id
    return examine_run(run_folder(session.location.runs, run)), len(OF_RUN)


def _say(verdict: Verdict) -> None:
    head = f"{SIGNS[verdict.passed]} {TITLES[verdict.check]}"
    width = max(20, (terminal_width() or 10_000) - INDENT)
    lines = wrap(verdict.found, width)
    if verdict.passed is not True and verdict.advice:
        lines += wrap(verdict.advice, width)
    for number, line in enumerate(lines):
        say(f"{'' if number else head:<{INDENT}}{line}")
