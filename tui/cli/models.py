"""``seqbench models``: how large each model is in each cell, without training or data."""

from __future__ import annotations

from itertools import product

import click

from engine.planning import order_of_cells, sample
from tui.cli.session import Session, json_option, pass_session, say_json, say_table

SUITE = "reference-27"


@click.command()
@click.option(
    "--all", "everything", is_flag=True, help="All data sets, not only those of the reference."
)
@json_option
@pass_session
def models(session: Session, everything: bool, as_json: bool) -> None:
    """List the parameter count of each cell.

    Needs no data. The cells are those of the suite reference-27.
    """
    catalogue = session.catalogue
    suite = catalogue.suite(SUITE)
    datasets = list(catalogue.datasets) if everything else list(suite.datasets)
    names = list(catalogue.models) if everything else list(suite.models)
    order = order_of_cells(catalogue, (), suite.seeds, suite.profile)
    cells = [
        {
            "model": spec.model,
            "dataset": spec.dataset,
            "length": spec.length,
            "parameters": parameters,
        }
        for spec, parameters in (
            sample(catalogue, order, cell) for cell in product(names, datasets, suite.lengths)
        )
    ]
    if as_json:
        say_json(cells)
        return
    say_table(
        ["MODEL", "DATASET", "LENGTH", "PARAMETERS"],
        [[c["model"], c["dataset"], c["length"], f"{c['parameters']:,}"] for c in cells],
        right="LENGTH PARAMETERS",
    )
