"""``keys``: what can be done in the app, under which name and with which key."""

from __future__ import annotations

import click

from tui.cli.session import Session, json_option, pass_session, say_json, say_table
from tui.keys import ACTIONS
from tui.shell.action import key_text
from tui.shell.preferences import read_preferences


@click.command()
@json_option
@pass_session
def keys(session: Session, as_json: bool) -> None:
    """List the app's actions and their keys, including your own.

    The names are those of `keys:` in terminal.yaml. Keys without a name can't be changed.
    """
    keymap = read_preferences(lambda: ACTIONS, session.config_dir).keymap
    actions = [keymap.applied(action) for action in ACTIONS]
    if as_json:
        say_json(
            [
                {
                    "name": None if action.own_keys else action.name,
                    "screen": action.screens[0],
                    "keys": action.keys,
                    "help": action.help,
                }
                for action in actions
            ]
        )
        return
    say_table(
        ["NAME", "KEYS", "WHAT"],
        [
            ["" if action.own_keys else action.name, key_text(action, every=True), action.help]
            for action in actions
        ],
    )
