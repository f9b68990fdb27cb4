"""``seqbench evaluate``: finished runs ranked under another rule of targets, or given what runs of
earlier versions lack of their own results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import get_args

import click

from engine.analysis.protocols.words import rule_title
from engine.asking.reevaluation import Completed, Evaluated, complete
from engine.asking.reevaluation import evaluate as evaluated_under
from engine.errors import UsageError
from engine.metrics import SCOPES, Result
from engine.progress import counted
from engine.spec import Targets
from engine.spec.data import SplitKind
from engine.store.database import StoreConnection
from engine.store.queries import Run, list_runs, resolve_run
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.session import Session, json_option, note, pass_session, say_json, say_table
from tui.shell.text import count, number, whole

SHOWN = 5
"""Different problems that are said; the rest is counted."""

_SAID = (*(Result("recall", scope=scope) for scope in SCOPES), Result("coverage"))
"""The results of a run itself that are said; JSON has all."""


@click.command()
@click.argument("names", metavar="[RUN]...", nargs=-1, shell_complete=completion.runs())
@click.option(
    "--targets",
    type=click.Choice(get_args(Targets)),
    help="Which of a user's interactions in a period are ranked.",
)
@click.option(
    "--split",
    "kind",
    type=click.Choice(get_args(SplitKind)),
    help="Another split.  [default: the run's own]",
)
@click.option(
    "--own",
    is_flag=True,
    help="What runs of earlier versions lack of their own results: metrics of warm, popular and "
    "rare items, and what is recommended.",
)
@click.option(
    "--filter",
    "filter_",
    default="",
    metavar="EXPRESSION",
    help="All runs that are done and match, such as 'data:ml-100k-time': see docs/queries.md.",
)
@json_option
@pass_session
@click.pass_context
def evaluate(
    ctx: click.Context,
    session: Session,
    names: tuple[str, ...],
    targets: Targets | None,
    kind: SplitKind | None,
    own: bool,
    filter_: str,
    as_json: bool,
) -> None:
    """Rank finished runs under another rule of targets.
     The model of the chosen epoch is ranked, without training, as that of a run under the other
    rule would be. That takes a rule under which a run trains on the same interactions: else it says
    why not. The result is kept with the run, beside its own metrics. See docs/protocol.md.

    With --own, runs of earlier versions get the results that runs have today, from their ranks,
    the data and the model. What they recorded stays as it is.

    RUN is an id, or enough of its beginning or end to be unique. The exit status is 1 if a run
    can't be evaluated.
    """
    if targets is None and kind is None and not own:
        raise UsageError("say which rule: --targets last, for example, or --own.")
    if own and (targets or kind):
        raise UsageError("--own is the run's own rule: leave out --targets and --split.")
    if bool(names) == bool(filter_):
        raise UsageError("name runs, or choose them by --filter.")
    with session.reader() as connection:
        runs = _chosen(connection, names, filter_)
    session.keep_models()
    if own:
        _complete(ctx, session, runs, as_json=as_json)
        return
    with progress("Evaluating") as told:
        results = evaluated_under(session.location, runs, kind, targets)
        found = [next(results) for _ in counted(runs, told)]
    if as_json:
        say_json([_as_json(each) for each in found])
    else:
        _say(found)
    _tell((each.run, each.problem) for each in found if each.problem)
    if any(each.found is None for each in found):
        ctx.exit(1)


def _chosen(connection: StoreConnection, names: Sequence[str], filter_: str) -> list[str]:
    """Find the runs that are meant; each must have a model.

    Raises:
        UsageError: a named run isn't done, or none matches.
    """
    if names:
        named = [resolve_run(connection, name) for name in names]
        for run in named:
            if not _has_model(run):
                why = "was imported without weights" if run.origin else f"is {run.state}"
                raise UsageError(
                    f"{run.id} {why}: only runs that trained here to their end can be evaluated."
                )
        return list(dict.fromkeys(run.id for run in named))
    runs = [run.id for run in list_runs(connection, ["done"], None, filter_) if _has_model(run)]
    if not runs:
        raise UsageError("No run that is done matches.")
    return sorted(runs)


def _has_model(run: Run) -> bool:
    return run.state == "done" and not run.origin


def _say(found: Sequence[Evaluated]) -> None:
    rows = [
        [
            each.run,
            rule_title(each.found.split),
            *(number(each.found.metrics[f"test_{name}"]) for name in ("ndcg", "recall", "mrr")),
            whole(_count(each, "test_targets")),
            whole(_count(each, "test_users")),
        ]
        for each in found
        if each.found is not None
    ]
    if rows:
        heads = ["RUN", "RANKED UNDER", "NDCG@10", "RECALL@10", "MRR@10", "TARGETS", "USERS"]
        say_table(heads, rows, right="NDCG@10 RECALL@10 MRR@10 TARGETS USERS")


def _count(each: Evaluated, name: str) -> int | None:
    value = each.found.counts.get(name) if each.found else None
    return None if value is None else int(value)


def _complete(ctx: click.Context, session: Session, runs: Sequence[str], *, as_json: bool) -> None:
    with progress("Evaluating") as told:
        results = complete(session.location, runs)
        found = [next(results) for _ in counted(runs, told)]
    if as_json:
        say_json([asdict(each) for each in found])
    elif rows := [_results_row(each) for each in found if each.results and not each.had]:
        heads = [result.word.upper() for result in _SAID]
        say_table(["RUN", *heads], rows, right=" ".join(heads))
    if had := sum(each.had for each in found):
        note(f"{count(had, 'run')} had all results already.")
    _tell((each.run, each.problem) for each in found if each.problem)
    _tell(
        (each.run, f"it has no values of what is recommended: {each.lacks}")
        for each in found
        if each.lacks
    )
    if any(each.problem for each in found):
        ctx.exit(1)


def _results_row(each: Completed) -> list[str]:
    return [each.run, *(number(each.results.get(result.name)) for result in _SAID)]


def _tell(problems: Iterable[tuple[str, str]]) -> None:
    """Say why runs lack something, those with the same reason together.

    Args:
        problems: of each run its id and the sentence.
    """
    found = list(problems)
    why = Counter(problem for _, problem in found)
    for problem, times in why.most_common(SHOWN):
        runs = [run for run, its in found if its == problem]
        which = runs[0] if times == 1 else f"{runs[0]} and {count(times - 1, 'other run')}"
        note(f"{which}: {problem}")
    if len(why) > SHOWN:
        note(f"… and {len(why) - SHOWN} more reasons: --json has all.")


def _as_json(each: Evaluated) -> dict[str, object]:
    return {
        "run": each.run,
        "problem": each.problem or None,
        "evaluation": asdict(each.found) if each.found else None,
    }
