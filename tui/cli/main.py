"""The ``seqbench`` command: opens the app, or does one thing and ends.

Results go to stdout, the rest to stderr. The exit status is 0, 1 (failed), 2 (wrong usage), or 128
and the number of the signal that ended it: 130 for ctrl+c. Light to import, so that ``--help`` and
completion are quick; a command's module imports at its top what its commands need, but for what
takes long and only some of them need.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from engine import __version__
from engine.errors import UsageError, UserError
from engine.files.regular import keep_ours_private
from tui.cli.output import end_in_order, stdout_problem, take_streams
from tui.cli.session import Session, note

COMMANDS = {
    "run": ("tui.cli.runs.run", "Train models on data sets, in the background."),
    "ls": ("tui.cli.runs.queue", "List runs, newest first."),
    "show": ("tui.cli.runs.show", "Show one run: state, metrics, settings and attempts."),
    "recommend": (
        "tui.cli.runs.recommend",
        "Show a run's recommendations for a user, with the held-out item.",
    ),
    "evaluate": (
        "tui.cli.runs.evaluate",
        "Rank finished runs under another rule of targets.",
    ),
    "watch": ("tui.cli.runs.queue", "Follow all runs until the queue is empty or ctrl+c."),
    "logs": ("tui.cli.runs.logs", "Print a run's log."),
    "cancel": ("tui.cli.runs.queue", "Stop runs, or remove them from the queue."),
    "retry": ("tui.cli.runs.queue", "Queue failed, cancelled or lost runs again."),
    "tune": ("tui.cli.studies.tune", "Choose settings of models on validation."),
    "duel": ("tui.cli.studies.duel", "Find out which of two models is better, both tuned alike."),
    "studies": ("tui.cli.studies.studies", "List the studies, show or stop one."),
    "continue": ("tui.cli.runs.further", "Train runs past their epoch limit."),
    "refit": ("tui.cli.runs.further", "Train runs again with validation included."),
    "delete": ("tui.cli.runs.deleting", "Delete runs: they go to the trash."),
    "undelete": ("tui.cli.runs.deleting", "Bring deleted runs back, or list them."),
    "move": ("tui.cli.runs.queue", "Change the order of the queue."),
    "pause": ("tui.cli.runs.queue", "Start nothing more; running runs continue."),
    "resume": ("tui.cli.runs.queue", "Resume a paused queue."),
    "compare": ("tui.cli.results.compare", "Compare runs by metrics, times and settings."),
    "published": (
        "tui.cli.results.published",
        "List published results, with the protocol of each.",
    ),
    "report": ("tui.cli.results.report", "Write the report: pivot, costs, trade-offs, statistics."),
    "diff": ("tui.cli.results.diff", "Show what differs between two runs, and their metrics."),
    "export": (
        "tui.cli.results.exporting",
        "Export runs as an archive, or their epochs for other programs.",
    ),
    "import": ("tui.cli.results.importing", "Import an archive, or the history of other programs."),
    "note": ("tui.cli.runs.annotate", 'Show a run\'s note, or write another; "" removes it.'),
    "tag": ("tui.cli.runs.annotate", "Show the tags of runs, or change them."),
    "models": ("tui.cli.models.listed", "List models; begin one of your own, or examine one."),
    "data": ("tui.cli.data.sets", "List, fetch and check data sets."),
    "suite": ("tui.cli.suite", "List, show and save the named sets of cells."),
    "keys": ("tui.cli.keys", "List the app's actions and their keys, including your own."),
    "db": ("tui.cli.db", "Rebuild, check and clean up the store, or say where it is."),
    "doctor": (
        "tui.cli.doctor.doctor",
        "Check everything that seqbench needs, and how to fix problems.",
    ),
}
"""In the order of the help: the module of each command, and what it does. The module has it under
its own name, with a stroke after it where that is a word of Python's."""


class Cli(click.Group):
    """Loads a command when it is asked for, and ends every failure in one sentence.

    The list of commands is shown and completed without loading them: they need pydantic, numpy
    and more, which takes half a second.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(
            import_module(COMMANDS[cmd_name][0]),
            f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name,
        )
        _accept_global_options(command)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        named = [
            CompletionItem(name, help=about)
            for name, (_, about) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, None, COMMANDS, ctx) from None

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and exit with the status that tells how it went."""
        try:
            status: Any = super().main(
                args, prog_name, complete_var, standalone_mode=False, **extra
            )
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            status = 2
        except click.ClickException as error:
            command = getattr(getattr(error, "ctx", None), "command_path", "seqbench")
            note(f"{command}: {_sentence(error.format_message())} See `{command} --help`.")
            status = error.exit_code
        except click.Abort:
            status = 130
        except UserError as error:
            note(f"seqbench: {_opened(str(error))}")
            status = 2 if isinstance(error, UsageError) else 1
        except Exception as error:  # noqa: BLE001 -- nobody is shown a traceback
            from tui.cli.crash import report  # hardly ever needed

            note(report(error))
            status = 1
        if (lost := stdout_problem()) is not None:
            status = status if isinstance(status, int) and status else 1
            if lost.errno != errno.EPIPE:  # whoever read our output has seen enough
                note(
                    "seqbench: the output is lost, because stdout can't be written "
                    f"({lost.strerror}): make room there, or print elsewhere."
                )
        if standalone_mode:
            sys.exit(status if isinstance(status, int) else 0)
        return status


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _opened(text: str) -> str:
    """Begin a problem as a sentence; where it begins with a name, that keeps its small letter."""
    return text[0].upper() + text[1:] if text.partition(" ")[0] in _OPENINGS else text


_OPENINGS = frozenset(
    ("a", "an", "at", "its", "name", "no", "none", "nothing", "the", "there", "two", "without")
)
"""Words with which sentences begin that elsewhere stand within another one."""


def _store_option(ctx: click.Context, option: click.Parameter, value: Path | None) -> None:
    if value is not None:
        setattr(ctx.ensure_object(Session), str(option.name), value)


def _model_paths(ctx: click.Context, _: click.Parameter, values: tuple[Path, ...]) -> None:
    ctx.ensure_object(Session).model_paths += values


def _global_options(hidden: bool) -> list[click.Parameter]:
    helps = {
        "--db": "The store, with runs/ next to it.  [default: $SEQBENCH_DB, or runs.db]",
        "--config-dir": "A folder like configs/, which overrides ours.  [default: "
        "$SEQBENCH_CONFIG]",
    }
    options: list[click.Parameter] = [
        click.Option(
            [flag],
            type=click.Path(path_type=Path),
            metavar="PATH",
            callback=_store_option,
            expose_value=False,
            hidden=hidden,
            help=text,
        )
        for flag, text in helps.items()
    ]
    options.append(
        click.Option(
            ["--model-path"],
            type=click.Path(path_type=Path),
            metavar="PATH",
            multiple=True,
            callback=_model_paths,
            expose_value=False,
            hidden=hidden,
            help="A model's file, or a folder of them; may be repeated.  [default: "
            "$SEQBENCH_MODEL_PATH]",
        )
    )
    return options


def _accept_global_options(command: click.Command) -> None:
    """They may stand behind the command as well as before it."""
    if not any(parameter.name == "db" for parameter in command.params):
        command.params += _global_options(hidden=True)
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _accept_global_options(inner)


def _app_options() -> list[click.Parameter]:
    """How this terminal is used: of the app alone."""
    helps = {
        "--no-mouse": "Leave the mouse to the terminal.",
        "--ascii": "Draw in ASCII.  [default: where UTF-8 doesn't work]",
        "--low-bandwidth": "Reduce redraws.  [default: on a slow connection]",
    }
    return [click.Option([flag], is_flag=True, help=text) for flag, text in helps.items()]


@click.group(
    cls=Cli,
    name="seqbench",
    invoke_without_command=True,
    params=_global_options(hidden=False) + _app_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="seqbench", message="%(prog)s %(version)s")
@click.pass_context
def seqbench(ctx: click.Context, no_mouse: bool, ascii: bool, low_bandwidth: bool) -> None:  # noqa: A002
    """A lab for benchmarking sequential recommenders.
     Without a command it opens the app. Runs train in the background, whatever happens to the
    terminal.
    """
    session = ctx.ensure_object(Session)
    if ctx.invoked_subcommand is None:
        _open_app(ctx, session, no_mouse, ascii, low_bandwidth)


def _open_app(
    ctx: click.Context, session: Session, no_mouse: bool, ascii_only: bool, low_bandwidth: bool
) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        raise UsageError(
            "the app needs a terminal: in a script, use a command; see `seqbench --help`."
        )
    # Nothing is garbage yet, and looking for it takes a tenth of the start. The app lets it be
    # looked for again once all is loaded.
    gc.disable()
    from tui.app import SeqbenchApp
    from tui.parts.opening import opening_mode
    from tui.shell.preferences import read_preferences

    preferences = read_preferences(SeqbenchApp.actions, session.config_dir).overridden(
        mouse=not no_mouse, ascii_only=ascii_only, low_bandwidth=low_bandwidth
    )
    location, mode = session.location, opening_mode(session.location)
    app = SeqbenchApp(location, session.config_dir, preferences, session.model_paths, mode)
    app.run(mouse=preferences.mouse)
    if app.failure is not None:
        raise app.failure
    ctx.exit(app.return_code or 0)


def main() -> None:
    """The console script."""
    keep_ours_private()
    take_streams()
    end_in_order()
    seqbench(prog_name="seqbench")
