"""Reading what a run's page and its predictions show, in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from engine.analysis.floor import floors, standing_sentence
from engine.analysis.labels.stored import cell_of_run, label_of_run
from engine.analysis.literature.differences import Compared, elsewhere
from engine.analysis.literature.figures import setup_of
from engine.analysis.pairs.users import UserIntervals
from engine.analysis.reference import ReferenceOfCell, references_of
from engine.analysis.run.details import RunDetails, run_details
from engine.analysis.run.further import further_command, why_not_further, why_not_refit
from engine.analysis.run.relaunch import proposed_limit, recipe_of, relaunch_command
from engine.analysis.run.remedy import Remedy, remedy
from engine.analysis.run.throughput import GpuIdle, gpu_idle
from engine.asking import predictions
from engine.asking.predictions import Item, Predictions, Recommendation, UserPrediction
from engine.config import Catalogue
from engine.lifecycle import DIED
from engine.runfolder import run_folder
from engine.store import series
from engine.store.compare.grouping import Choice, runs_of_cell
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from tui.shell.events import journal_lines
from tui.shell.log_follower import LogFollower
from tui.shell.run_log import log_lines

__all__ = [
    "Item", "Predictions", "Ranked", "Recommendation", "RunPage", "StoreLocation", "UserIntervals",
    "UserPrediction", "proposed_limit", "read_page", "read_predictions", "read_ranked",
]  # fmt: skip

LAST_LINES = 10
"""Lines of the log on a failed run's page."""

AT_ONCE = 20
"""Tested users that are predicted together: starting a process for it takes seconds."""


@dataclass(frozen=True)
class RunPage:
    """A run as it was read."""

    details: RunDetails
    idle: GpuIdle | None
    """The share of its time that its GPUs were idle, 0 to 1."""
    log: Sequence[str]
    """The end of its log, or where its workers wrote none, of its journal."""
    remedy: Remedy | None
    """What to try, if it died."""
    reference: ReferenceOfCell | None
    """What is published for its cell under the same protocol."""
    published: Sequence[Compared]
    """What other sources publish for its model and data set, the most comparable first."""
    label: str
    """What tells its cell from others of its model, data set and length; empty if it is alone."""
    command: str
    """Launches it again; empty for an imported run."""
    further: str | None
    """Trains it further, if it is still improving at its epoch limit."""
    goes_on: bool
    """Whether it can be trained further from its checkpoint, with a higher epoch limit."""
    refittable: bool
    """Whether it can be trained again with validation included."""
    resumable: bool
    """Whether it has a checkpoint, from which a retry would resume."""

    @property
    def tested(self) -> bool:
        """Whether it is done and was evaluated on test, as a trial of a study isn't: then it has
        ranks of test users, and its weights."""
        return self.details.run.state == "done" and self.details.run.study is None


def read_page(location: StoreLocation, run_id: str, catalogue: Catalogue | None) -> RunPage | None:
    """Read a run; ``None`` if it was deleted.

    Raises:
        RunError: no run can have that id.
        StoreError: a store that can't be read.
    """
    folder = run_folder(location.runs, run_id)
    log = LogFollower(folder.log)
    with closing(connect_reader(location)) as con:
        details = run_details(con, run_id)
        label = label_of_run(con, Choice(), run_id, catalogue)
        events = series.events(con, run_id)
        if events and events[-1]["kind"] == "end":
            events.pop()  # its message is the run's own, and stands elsewhere
        idle = gpu_idle(con, run_id)
        if details is None:
            return None
        further = further_command(con, location, details.run, catalogue)
    journal = journal_lines(events, details.epochs[-LAST_LINES:])
    run = details.run
    # A trial has no result on test, which published ones are.
    tables = catalogue.published.values() if catalogue and run.study is None else ()
    own = setup_of(details.spec)
    references = references_of(tables, run.model, run.dataset, run.length, own)
    return RunPage(
        details=details,
        idle=idle,
        log=[line.text for line in log_lines(log.read(), journal)][-LAST_LINES:],
        remedy=remedy(run.cause, details.spec, recipe_of(details.spec, catalogue))
        if run.state in DIED
        else None,
        reference=references[0] if references else None,
        published=elsewhere(tables, run.model, run.dataset, own, references),
        label=label,
        command=relaunch_command(details.spec, catalogue),
        further=further,
        goes_on=why_not_further(folder, run, details.spec, catalogue) is None,
        refittable=why_not_refit(run) is None,
        resumable=bool(folder.checkpoints()),
    )


@dataclass(frozen=True)
class Ranked:
    """What the ranks of a run's test users tell."""

    intervals: UserIntervals | str
    """Of its test metrics, or a sentence why there are none."""
    floor: str = ""
    """Where its cell stands against the floor, in a sentence; empty without one."""


def read_ranked(location: StoreLocation, run_id: str, catalogue: Catalogue | None) -> Ranked:
    """Read what the ranks of a run's test users tell.

    Raises:
        StoreError: a store that can't be read.
    """
    # These load numpy: not before it is needed.
    from engine.analysis.pairs.cells import intervals
    from engine.analysis.pairs.standings import Standings

    with closing(connect_reader(location)) as con:
        found = intervals(con, location, [run_id])
        cell = cell_of_run(con, run_id)
        every = floors(con, catalogue)
        if cell is None or not every:
            return Ranked(found)
        own = Standings(con, location, every).of(con, [cell]).get(cell)
        one_seed = len(runs_of_cell(con, Choice(), cell.name)) < 2
    if own is None:
        return Ranked(found)
    floor, where = own
    return Ranked(found, f"Its cell {standing_sentence(where, floor, one_seed=one_seed)}.")


def read_predictions(
    location: StoreLocation, run_id: str, user: str | None, place: int
) -> tuple[int | None, Predictions]:
    """Read the prediction for a user by id, or those for the tested users around a place.

    A process of its own loads the model.

    Returns:
        The place of the first among the tested users (none for a user by id), and what was found.

    Raises:
        RunError: no run can have that id.
        DataError: the run can't predict, or there is no such user; in words.
    """
    folder = run_folder(location.runs, run_id)
    first = place - place % AT_ONCE
    found = predictions.predictions(folder, user, first=first, count=AT_ONCE)
    return None if user is not None else first, found
