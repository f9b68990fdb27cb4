"""``seqbench data judge``: whether a data set can tell models apart."""

from __future__ import annotations

from dataclasses import replace

import click

from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.session import Session, json_option, note, pass_session, say, say_fact, say_json


@click.command()
@click.argument("name", metavar="DATASET", shell_complete=completion.datasets)
@click.option(
    "--length",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Last items of a history that models see.",
)
@json_option
@pass_session
def judge(session: Session, name: str, length: int, as_json: bool) -> None:
    """Judge whether a data set can tell models apart.
    Fits models that need no training, with and without the order of histories, and compares them
    with the store's runs. The result is kept until the data or its split changes.
    """
    from engine.judge.read import known_of
    from engine.judge.sentence import as_json as for_programs
    from engine.judge.sentence import facts

    dataset = session.catalogue.dataset(name)
    with progress(f"Reading {dataset.name}"):
        if session.has_store:
            with session.reader():
                known = known_of(dataset, length, session.location, session.catalogue)
        else:
            known = known_of(dataset, length, session.location, session.catalogue)
    if known.said is None:
        note(f"Judging {dataset.name} takes {known.takes}.")
        with progress(f"Judging {dataset.name}") as told:
            known = replace(known, kept=known.start().result(told))
    said = known.said
    assert said is not None
    if as_json:
        say_json({"name": dataset.name, **for_programs(said)})
        return
    say(f"{dataset.name}: {dataset.title}")
    for label, text in facts(said):
        say_fact(label, text)
