"""``seqbench models``: how large each model is in each cell, without training or data."""

from __future__ import annotations

from itertools import product
from typing import Any

import click

from engine.errors import UsageError
from engine.planning import order_of_cells, samples
from tui.cli.models.own import check, new
from tui.cli.session import Session, json_option, note, pass_session, say, say_json, say_table

CELL = ("model", "dataset", "length")
SUITE = "reference-27"


@click.group(invoke_without_command=True)
@click.option(
    "--all", "everything", is_flag=True, help="All data sets, not only those of the reference."
)
@json_option
@pass_session
@click.pass_context
def models(ctx: click.Context, session: Session, everything: bool, as_json: bool) -> None:
    """List models; begin one of your own, or examine one.

    Without a command, lists the parameter count of each cell. Needs no data. The cells are those
    of the suite reference-27, and of your own models. What is wrong with a model's file is said on
    stderr.
    """
    if ctx.invoked_subcommand is not None:
        return
    catalogue = session.catalogue
    suite = catalogue.suite(SUITE)
    own = {name: info for name, info in catalogue.infos.items() if info.file is not None}
    datasets = list(catalogue.datasets) if everything else list(suite.datasets)
    usable = [name for name, info in own.items() if not info.problem]
    names = list(catalogue.models) if everything else [*suite.models, *usable]
    order = order_of_cells(catalogue, (), suite.seeds, suite.profile)
    cells: list[dict[str, Any]] = []
    for name in names:
        try:
            for cell in product([name], datasets, suite.lengths):
                _, parameters = samples(catalogue, order, cell)[0]
                cells.append({**dict(zip(CELL, cell, strict=True)), "parameters": parameters})
        except UsageError as error:  # a module that can't be built keeps no other from its place
            note(str(error))
    for info in own.values():
        if info.problem:
            note(info.problem)
    if as_json:
        say_json(cells)
        return
    say_table(
        ["MODEL", "DATASET", "LENGTH", "PARAMETERS"],
        [[c["model"], c["dataset"], c["length"], f"{c['parameters']:,}"] for c in cells],
        right="LENGTH PARAMETERS",
    )
    for name in usable:
        say(f"{name} is defined in {own[name].file}")


for command in (new, check):
    models.add_command(command)
