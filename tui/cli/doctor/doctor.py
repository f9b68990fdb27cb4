"""``seqbench doctor``: what this machine has, what is wrong with it, and how to put it right."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from engine.errors import UserError
from engine.progress import counted
from tui.cli import completion
from tui.cli.doctor.checks import CHECKS
from tui.cli.doctor.findings import Check, Finding, Level
from tui.cli.doctor.launcher import check_launcher
from tui.cli.progress import progress
from tui.cli.session import Session, json_option, note, pass_session, say, say_json

MARKS: dict[Level, str] = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


@click.command()
@click.option(
    "--launcher",
    metavar="NAME",
    shell_complete=completion.launchers,
    help="Check a cluster instead: a short job looks at one of its nodes.",
)
@json_option
@pass_session
@click.pass_context
def doctor(ctx: click.Context, session: Session, launcher: str | None, as_json: bool) -> None:
    """Check everything that seqbench needs, and how to fix problems.

    Exits with 1 if something is wrong.
    """
    with progress("Looking" if launcher is None else f"Waiting for a job of {launcher}") as told:
        if launcher is None:
            checks = counted(CHECKS, told)
            findings = [finding for check in checks for finding in _looked_at(check, session)]
        else:
            findings = list(check_launcher(session, launcher))
    problems = [finding for finding in findings if finding.level == "problem"]
    if as_json:
        say_json({"ok": not problems, "findings": [_as_json(finding) for finding in findings]})
    else:
        for finding in findings:
            say(f"{MARKS[finding.level]:<8}{finding.topic:<13} {finding.text}")
            if finding.cure:
                say(f"{'':<22}→ {finding.cure}")
        note(f"{len(problems)} to fix." if problems else "Everything is fine.")
    if problems:
        ctx.exit(1)


def _looked_at(check: Check, session: Session) -> Iterator[Finding]:
    """A check that fails is a finding too: the others go on."""
    topic = check.__name__.removeprefix("check_").replace("_", " ")
    try:
        yield from check(session)
    except (UserError, OSError, subprocess.SubprocessError) as error:
        yield Finding(topic, "problem", str(error))


def _as_json(finding: Finding) -> dict[str, Any]:
    return asdict(finding)
