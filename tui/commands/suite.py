"""``seqbench suite``: the named sets of cells."""

from __future__ import annotations

import click

from tui.commands.session import (
    Session,
    json_option,
    note,
    pass_session,
    say,
    say_json,
    say_table,
)


@click.group()
def suite() -> None:
    """List and show the named sets of cells."""


@suite.command("ls")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the suites."""
    catalogue = session.catalogue
    suites = [
        {"name": each.name, "title": each.title, "runs": len(catalogue.expand(each))}
        for each in catalogue.suites.values()
    ]
    if as_json:
        say_json(suites)
    else:
        rows = [list(each.values()) for each in suites]
        say_table(["SUITE", "TITLE", "RUNS"], rows, right="RUNS")


@suite.command()
@click.argument("name", metavar="SUITE")
@json_option
@pass_session
def show(session: Session, name: str, as_json: bool) -> None:
    """Show what a suite consists of."""
    chosen = session.catalogue.suite(name)
    content = chosen.model_dump(mode="json")
    if as_json:
        say_json(content)
        return
    say(f"{chosen.name}: {chosen.title}")
    for key in ("models", "datasets", "lengths", "seeds"):
        say(f"  {key:<10}{', '.join(str(value) for value in content[key])}")
    say(f"  {'profile':<10}{chosen.profile}")
    for key, value in chosen.overrides.items():
        say(f"  {'set':<10}{key}={value}")
    for name, changes in chosen.variants.items():
        text = ", ".join(f"{key}={value}" for key, value in changes.items()) or "as it is"
        say(f"  {'variant':<10}{name}: {text}")
    if chosen.note:
        say(f"  {'note':<10}{chosen.note}")
    note(f"{len(session.catalogue.expand(chosen))} runs.")
