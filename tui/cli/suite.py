"""``seqbench suite``: the named sets of cells."""

from __future__ import annotations

import click

from engine.config.suites import save_suite
from engine.order import settings_text
from engine.planning import order_suite
from tui.cli import completion
from tui.cli.runs.run import asked_order, choice_options
from tui.cli.session import Session, json_option, note, pass_session, say, say_json, say_table
from tui.shell.text import count


@click.group()
def suite() -> None:
    """List, show and save the named sets of cells."""


@suite.command("ls")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the suites."""
    catalogue = session.catalogue
    suites = [
        {"name": each.name, "title": each.title, "runs": catalogue.run_count(each)}
        for each in catalogue.suites.values()
    ]
    if as_json:
        say_json(suites)
    else:
        rows = [list(each.values()) for each in suites]
        say_table(["SUITE", "TITLE", "RUNS"], rows, right="RUNS")


@suite.command()
@click.argument("name", metavar="SUITE", shell_complete=completion.suites)
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
    for cell in chosen.cells:
        say(f"  {'cell':<10}{' × '.join(map(str, cell))}")
    say(f"  {'profile':<10}{chosen.profile}")
    for key, value in settings_text(chosen.overrides).items():
        say(f"  {'set':<10}{key}={value}")
    for name, changes in chosen.variants.items():
        text = ", ".join(f"{k}={v}" for k, v in settings_text(changes).items()) or "as it is"
        say(f"  {'variant':<10}{name}: {text}")
    if chosen.note:
        say(f"  {'note':<10}{chosen.note}")
    note(f"{count(session.catalogue.run_count(chosen), 'run')}.")


@suite.command()
@click.argument("name", metavar="NAME")
@click.option("--title", metavar="TEXT", default="", help="What it is for.")
@choice_options
@click.option("--replace", is_flag=True, help="Replace a suite of that name.")
@pass_session
def save(
    session: Session,
    name: str,
    title: str,
    models: tuple[tuple[str, ...], ...],
    datasets: tuple[tuple[str, ...], ...],
    lengths: tuple[str, ...],
    seeds: tuple[str, ...],
    profile: str | None,
    suite: str | None,
    settings: tuple[str, ...],
    replace: bool,
) -> None:
    """Save a selection of runs as a suite of your own.

    It takes the options of `seqbench run`, writes suites/NAME.yaml in ./configs (or --config-dir),
    and prints the path.
    """
    order = asked_order(session, models, datasets, lengths, seeds, profile, suite, settings)
    saved = order_suite(session.catalogue, order, name, title)
    say(str(save_suite(session.catalogue, saved, session.config_dir, replace)))
    runs = count(session.catalogue.run_count(saved), "run")
    note(f"{runs}: `seqbench run --suite {saved.name}`.")
