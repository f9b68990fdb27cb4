"""docs/cli.md says what the commands say of themselves, and its examples are understood.

``SEQBENCH_WRITE_DOCS=1 pytest tests/tui/cli/test_cli_docs.py`` brings it up to date.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tui.cli.main import COMMANDS, seqbench

PAGE = Path(__file__).parents[3] / "docs/cli.md"
HELP_BLOCK = re.compile(r"<!-- help of: (?P<words>[a-z ]+) -->\n```text\n.*?```\n", re.DOTALL)


def commands(
    command: click.Command, context: click.Context, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every command that does something, with its help."""
    if not isinstance(command, click.Group):
        yield words, command.get_help(context)
        return
    if command.invoke_without_command:
        yield words, command.get_help(context)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        child = click.Context(
            inner, context, name, terminal_width=90, help_option_names=["-h", "--help"]
        )
        yield from commands(inner, child, (*words, name))


def helps() -> dict[str, str]:
    context = click.Context(
        seqbench, info_name="seqbench", terminal_width=90, help_option_names=["-h", "--help"]
    )
    return {" ".join(("seqbench", *words)): text for words, text in commands(seqbench, context)}


def test_the_page_has_the_help_of_every_command() -> None:
    current = helps()
    page = PAGE.read_text(encoding="utf-8")
    assert [match["words"] for match in HELP_BLOCK.finditer(page)] == list(current)
    fresh = HELP_BLOCK.sub(
        lambda m: f"<!-- help of: {m['words']} -->\n```text\n{current[m['words']]}\n```\n", page
    )
    if os.environ.get("SEQBENCH_WRITE_DOCS"):
        PAGE.write_text(fresh, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == fresh


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    context = click.Context(seqbench, info_name="seqbench")
    said = {name: seqbench.get_command(context, name) for name in seqbench.list_commands(context)}
    assert {name: about for name, (_, about) in COMMANDS.items()} == {
        name: command.get_short_help_str(65) for name, command in said.items() if command
    }
    offered = seqbench.shell_complete(context, "re")
    assert {item.value for item in offered} == {
        *("recommend", "retry", "resume", "report", "refit")
    }


def examples() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line.partition(" #")[0].partition(" |")[0].strip() for line in lines if line.strip()]


@pytest.mark.parametrize("example", examples())
def test_an_example_is_understood(example: str) -> None:
    words = shlex.split(example)
    assert words.pop(0) == "seqbench"
    command: click.Command = seqbench
    context: click.Context | None = None
    while True:
        context = command.make_context(command.name, words, parent=context)
        if not isinstance(command, click.Group) or not (rest := context._protected_args):
            return
        inner = command.get_command(context, rest[0])
        assert inner is not None, rest
        command, words = inner, context.args


def test_every_command_has_an_example() -> None:
    used = " \n".join(examples()) + " \n"
    names = [name for name in helps() if f"{name} " not in used]
    assert names == []
    assert set(COMMANDS) <= {example.split()[1] for example in examples() if " " in example}
