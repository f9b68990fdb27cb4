"""``seqbench diff``: two runs beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from engine.analysis.columns.definitions import parse_aggregate
from engine.analysis.columns.text import spread_text
from engine.analysis.diff import Diff, compare_sides, difference_text, run_side
from engine.store.queries import resolve_run
from tui.cli import completion
from tui.cli.session import (
    Session,
    aggregate_option,
    json_option,
    note,
    pass_session,
    say,
    say_json,
    say_table,
)


@click.command()
@click.argument("left", metavar="RUN", shell_complete=completion.runs())
@click.argument("right", metavar="RUN", shell_complete=completion.runs())
@aggregate_option
@json_option
@pass_session
def diff(session: Session, left: str, right: str, aggregate: str, as_json: bool) -> None:
    """Show what differs between two runs, and their metrics.
     RUN is an id, or enough of its beginning or end to be unique. A difference is the second run's
    value minus the first's.
    """
    chosen = parse_aggregate(aggregate)
    from engine.analysis.pairs.words import words_for  # numpy

    with session.reader() as connection:
        sides = [
            run_side(connection, resolve_run(connection, name).id, chosen) for name in (left, right)
        ]
        found = compare_sides(connection, sides[0], sides[1], chosen)
        runs = found.right.runs, found.left.runs
        words = words_for(
            connection, session.location, runs, ("right", "left"), session.catalogue_if_valid
        )
    if as_json:
        say_json(_as_json(found, words.why_untold))
    else:
        _say(found, words.sentences)


def _as_json(found: Diff, why_untold: str | None) -> dict[str, Any]:
    return {
        "left": found.left.title,
        "right": found.right.title,
        "settings": [asdict(setting) for setting in found.settings],
        "figures": [
            {
                "name": one.column.name,
                "left": one.left.mean if one.left else None,
                "right": one.right.mean if one.right else None,
                "difference": one.difference,
                "better": None,
            }
            for one in found.figures
        ],
        "why_not": why_untold,
        "warnings": list(found.warnings),
    }


def _say(found: Diff, words: Sequence[str]) -> None:
    say(f"left   {found.left.title}")
    say(f"right  {found.right.title}")
    for text in found.warnings:
        note(text)
    for text in words:
        say(text)
    say()
    rows: list[list[object]] = [
        [f"{one.section}.{one.name}", one.left or "–", one.right or "–", ""]
        for one in found.settings
    ]
    rows += [
        [
            one.column.name,
            spread_text(one.left, one.column.kind),
            spread_text(one.right, one.column.kind),
            difference_text(one),
        ]
        for one in found.figures
    ]
    if not found.settings:
        note("The same configuration, versions and device.")
    say_table(["", "LEFT", "RIGHT", "DIFFERENCE"], rows, right="DIFFERENCE")
