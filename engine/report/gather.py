"""Reads everything that a report shows from the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from engine.analysis import published
from engine.analysis.columns.definitions import Value, metric_name
from engine.analysis.comparison import COMPARABLE, Row, compare_rows, runs_by_cell
from engine.analysis.costs import CostedCell, costed
from engine.analysis.duels.stored import Duel, duels_among
from engine.analysis.floor import METRIC, Floor, Standing, floor_of, floors
from engine.analysis.inflation.measured import CellInflation, inflation
from engine.analysis.labels.stored import newest_runs, stored_labels
from engine.analysis.literature.differences import said
from engine.analysis.literature.stored import (
    PublishedAbout,
    nearest,
    published_about,
    setups,
)
from engine.analysis.pairs.cells import (
    Pair,
    RankedCell,
    against,
    counted_cells,
    pairs,
    ranked_cells,
)
from engine.analysis.pairs.interval import user_interval
from engine.analysis.pairs.significance import Metric
from engine.analysis.pairs.standings import floor_test, standings_of
from engine.analysis.pairs.users import few_users
from engine.analysis.pivot.arranged import PivotRow
from engine.analysis.pivot.stored import stored_pivot
from engine.analysis.protocols.rankings import Protocols
from engine.analysis.protocols.stored import Measured, protocols
from engine.analysis.published import Published
from engine.analysis.quality import DEFAULT, Quality, levels_among, parse_quality
from engine.analysis.run.further import further_commands
from engine.analysis.run.relaunch import launches_of
from engine.analysis.tradeoffs import Tradeoffs, tradeoffs
from engine.analysis.tuning.studies import StudyReport, choosing_studies, study_reports
from engine.cell import Cell
from engine.config import Catalogue
from engine.errors import UsageError
from engine.marks import STILL_IMPROVING
from engine.report.planned import SuiteRuns, suite_runs
from engine.report.plots import CellQuality, Curve
from engine.spec import TOP_K, Suite
from engine.store import queries, series
from engine.store.compare.grouping import (
    CellRow,
    Choice,
    cell_table,
    cells_marked,
    counted_runs,
    runs_of_cell,
)
from engine.store.costs.runs import Reached, spent_to_reach
from engine.store.location import StoreLocation


@dataclass(frozen=True)
class Wanted:
    """Which runs a report is about, and which metric it compares them by."""

    suite: Suite | None = None
    """Selects the runs launched as this suite, and any other that equals one of its runs."""
    filter: str = ""
    """A filter, in the language of docs/queries.md. Not allowed together with a suite."""
    without: tuple[str, ...] = ()
    """Ids of runs to leave out."""
    metric: Metric = "ndcg"
    masked: bool = False
    k: int = TOP_K
    quality: Quality = field(default_factory=lambda: parse_quality(DEFAULT))

    @property
    def column(self) -> str:
        """The column of the test metric that is the quality."""
        return metric_name(self.metric, self.k, masked=self.masked)

    @property
    def valid_column(self) -> str:
        """The column of this metric on validation, where every metric is at 10."""
        return metric_name(self.metric, masked=self.masked, split="valid")


@dataclass(frozen=True)
class DataGroup:
    """The cells that may be compared: those of one data set, protocol, split and checksum."""

    place: dict[str, Value]
    cells: tuple[CostedCell, ...]
    qualities: tuple[CellQuality, ...]
    """Quality of each cell, in the same order."""
    few_users: str
    """A warning that few users are tested, with the widest of the intervals; empty otherwise."""
    pairs: tuple[Pair, ...]
    tradeoffs: Tradeoffs
    curves: tuple[Curve, ...]
    pass_level: float | None
    """The value of `Wanted.quality` whose time and energy are reported, if there is one."""
    to_pass: Mapping[str, Reached]
    """What training took until `pass_level` was exceeded, by run id."""
    several: bool = False
    """Whether the data set has more groups than this one."""
    floor: Floor | None = None
    """The best fitted model of the store, whether it is among the cells or not."""
    standings: Mapping[Cell, Standing] = field(default_factory=dict)
    """Where the trained cells stand against the floor."""

    @property
    def title(self) -> str:
        """Return the heading of the group, which is unique within a report."""
        name = str(self.place["dataset"])
        if not self.several:
            return name
        parts = (f"{what} {self.place[what]}" for what in ("protocol", "split"))
        return f"{name}, data {str(self.place['checksum'])[:12]}, {', '.join(parts)}"


@dataclass(frozen=True)
class Material:
    """Everything that the sections of a report are made from."""

    wanted: Wanted
    rows: tuple[Row, ...]
    """Rows of all selected runs, in any state; values are those at the chosen epoch."""
    suite_runs: SuiteRuns | None
    """Which runs of the suite exist, where a suite was selected."""
    counted: Mapping[str, Cell]
    """The cell of each run that counts for one, by run id."""
    labels: Mapping[Cell, str]
    """What tells cells of one model, data set and length apart (`engine.analysis.labels.words`)."""
    runs: Mapping[str, queries.Run]
    specs: Mapping[str, Mapping[str, Any]]
    """`engine.spec.RunSpec` as JSON, by run id."""
    starts: Mapping[str, Mapping[str, Any]]
    """Fields of the newest ``start`` line of the journal, by run id."""
    groups: tuple[DataGroup, ...]
    pivot: tuple[PivotRow, ...]
    inflation: tuple[CellInflation, ...]
    published: tuple[tuple[CellRow, Published], ...]
    """Cells, each with a published result for it."""
    elsewhere: tuple[PublishedAbout, ...]
    """Published NDCG@10 of other sources, each about the cell that it is most comparable with."""
    protocols: tuple[Protocols, ...]
    """Interactions that the cells were measured on under several rules of targets."""
    duels: tuple[Duel, ...]
    """Those that chose the settings of any of the runs."""
    further: tuple[str, ...]
    """Commands that train on what is still improving at its epoch limit."""
    watched: frozenset[str]
    """Ids of the runs of which it was told what disturbed them, if anything."""
    problems: tuple[str, ...]
    """Sentences about runs that are left out of the statistics."""
    studies: tuple[StudyReport, ...] = ()
    """Those that chose the settings of finished runs."""
    untold_studies: tuple[str, ...] = ()
    """Sentences about others of them."""

    @property
    def done(self) -> tuple[Row, ...]:
        """Return the rows of finished runs."""
        return tuple(row for row in self.rows if row["state"] == "done")


def gather(
    con: sqlite3.Connection, location: StoreLocation, catalogue: Catalogue | None, wanted: Wanted
) -> Material:
    """Read the selected runs. Takes seconds for hundreds of them.

    Raises:
        UsageError: the filter is invalid, the suite can't be expanded, both are given, or no
            selected run is done.
    """
    if wanted.suite is not None and wanted.filter:
        raise UsageError(
            "a suite decides which runs are in the report: leave out the filter, or the suite."
        )
    compared = compare_rows(con, filter=wanted.filter, sort="run", descending=False)
    runs = {run.id: run for run in queries.list_runs(con, filter=wanted.filter)}
    # One may be new, another gone.
    rows = [row for row in compared if row["run"] in runs and row["run"] not in wanted.without]
    others = [runs[str(row["run"])] for row in rows if row["origin"]]
    rows = [row for row in rows if not row["origin"]]
    planned = None
    if wanted.suite is not None:
        assert catalogue is not None
        others = [run for run in others if run.suite == wanted.suite.name]
        own = [run for run in runs.values() if not run.origin and run.id not in wanted.without]
        planned = suite_runs(catalogue, wanted.suite, own)
        meant = planned.ids
        rows = [row for row in rows if row["run"] in meant]
    rows.sort(key=lambda row: [str(row["dataset"]), str(row["model"]), row["length"], row["seed"]])
    if not any(row["state"] == "done" for row in rows):
        raise UsageError(
            "there is nothing to report: none of these runs is done. `seqbench ls` shows them."
        )
    ids = [str(row["run"]) for row in rows]
    meant_runs = {run: runs.pop(run) for run in ids}
    choice = Choice(wanted.filter, without=tuple(runs))
    counted = counted_runs(con, choice)
    launches = launches_of(con, ids, catalogue)
    labels = stored_labels(con, newest_runs(counted), catalogue)
    cells, problems = ranked_cells(location, rows, counted, launches, labels)
    found = pairs(cells, wanted.metric, masked=wanted.masked, k=wanted.k)
    measured = Measured(wanted.metric, wanted.masked, wanted.k)
    rules, unread = protocols(con, location, cells, measured)
    specs = queries.specs_of(con, ids)
    known = floors(con, catalogue)
    beside = tuple(_published(con, choice, catalogue, cells, labels))
    choosing = choosing_studies(specs.values())
    studies, untold = study_reports(con, choosing)
    improving = [str(row["run"]) for row in rows if STILL_IMPROVING in str(row["marks"]).split()]
    return Material(
        wanted=wanted,
        rows=tuple(rows),
        suite_runs=planned,
        counted=counted,
        labels=labels,
        runs=meant_runs,
        specs=specs,
        starts=series.starts(con, ids),
        groups=tuple(
            _with_floor(con, location, group, known) for group in _groups(con, cells, found, wanted)
        ),
        pivot=stored_pivot(con, choice, "best", catalogue=catalogue).rows,
        inflation=tuple(inflation(con, choice, catalogue)),
        published=beside,
        elsewhere=tuple(_elsewhere(con, choice, catalogue, beside)),
        protocols=tuple(rules),
        duels=tuple(duels_among(con, location, choosing)),
        further=tuple(
            further_commands(
                location,
                ((meant_runs[run], specs[run]) for run in improving),
                catalogue,
                _cut_beside_others(rows, counted),
            )
        ),
        watched=queries.watched(con, ids),
        problems=(*_left_out(len(others)), *problems, *unread),
        studies=tuple(studies),
        untold_studies=tuple(untold),
    )


def _left_out(imported: int) -> Iterator[str]:
    if imported:
        which = "1 imported run is" if imported == 1 else f"{imported:,} imported runs are"
        yield f"{which} left out: nothing is known about their data and users."


def _cut_beside_others(rows: Sequence[Row], counted: Mapping[str, Cell]) -> dict[str, list[int]]:
    """Find the runs that were still improving at their limit in cells of which others stopped by
    themselves; return the seeds of their cells, by id."""
    found: dict[str, list[int]] = {}
    for runs in runs_by_cell(rows, counted).values():
        cut = [run for run in runs if STILL_IMPROVING in str(run["marks"]).split()]
        if len(cut) < len(runs):
            seeds = [int(run["seed"] or 0) for run in runs]
            found |= dict.fromkeys((str(run["run"]) for run in cut), seeds)
    return found


def _published(
    con: sqlite3.Connection,
    choice: Choice,
    catalogue: Catalogue | None,
    cells: Sequence[RankedCell],
    labels: Mapping[Cell, str],
) -> Iterator[tuple[CellRow, Published]]:
    tables = list(catalogue.published.values()) if catalogue is not None else []
    if tables:
        marks = cells_marked(con, choice)
        launches = {each.cell: each.launch for each in cells if each.launch is not None}
        rows = cell_table(con, choice, published.sources(tables))
        own = setups(con, rows)
        improving = {each.cell: each.side.improving for each in cells}
        for row in rows:
            for each in published.published_for(
                tables, row, marks, launches, labels, own, improving
            ):
                yield row, each


def _elsewhere(
    con: sqlite3.Connection,
    choice: Choice,
    catalogue: Catalogue | None,
    beside: Sequence[tuple[CellRow, Published]],
) -> list[PublishedAbout]:
    if catalogue is None:
        return []
    shown = {each.reference.table for _, each in beside}
    found = [
        each
        for each in published_about(con, choice, catalogue)
        if each.compared.figure.name == "NDCG@10" and not said(each.compared, shown)
    ]
    return sorted(nearest(found), key=lambda each: each.compared.distance)


def _groups(
    con: sqlite3.Connection,
    cells: Sequence[RankedCell],
    found: Sequence[Pair],
    wanted: Wanted,
) -> list[DataGroup]:
    groups: dict[tuple[Value, ...], list[CostedCell]] = {}
    for each in costed(con, cells):
        groups.setdefault(each.cell.comparable, []).append(each)
    datasets = [key[0] for key in groups]
    ranked = [row for each in cells for row in each.runs]
    passed = levels_among(con, ranked, wanted.quality)
    measure = f"valid_{wanted.metric}{'_masked' if wanted.masked else ''}"
    made = []
    for key, members in groups.items():
        members.sort(key=_order)
        ids = [str(run["run"]) for each in members for run in each.cell.runs]
        own_pairs = tuple(pair for pair in found if pair.a.comparable == key)
        level = passed.get(key)
        reached = {}
        if level is not None:
            reached = spent_to_reach(con, wanted.quality.measure, dict.fromkeys(ids, level))
        qualities = tuple(_quality(each, wanted) for each in members)
        made.append(
            DataGroup(
                place=dict(zip(COMPARABLE, key, strict=True)),
                cells=tuple(members),
                qualities=qualities,
                few_users=_few_users(qualities, wanted),
                pairs=own_pairs,
                tradeoffs=tradeoffs(members, wanted.metric, masked=wanted.masked, k=wanted.k)[0],
                curves=tuple(
                    _curve(con, row, each.differs, measure)
                    for each in members
                    for row in each.cell.runs
                ),
                pass_level=level,
                to_pass=reached,
                several=datasets.count(key[0]) > 1,
            )
        )
    return sorted(made, key=lambda group: group.title)


def _with_floor(
    con: sqlite3.Connection, location: StoreLocation, group: DataGroup, known: Sequence[Floor]
) -> DataGroup:
    """Test a group's cells against its floor, if there is one."""
    floor = floor_of(known, group.place)
    if floor is None:
        return group
    cells = [each.cell for each in group.cells]
    base = next((cell for cell in cells if cell.cell == floor.cell), None)
    if base is None:
        runs = runs_of_cell(con, Choice(), floor.cell.name)
        base = next(iter(counted_cells(con, location, dict.fromkeys(runs, floor.cell))), None)
    tests = against(cells, base, METRIC, masked=False) if base is not None else []
    standings = standings_of({pair.a.cell: floor_test(pair) for pair in tests})
    return replace(group, floor=floor, standings=standings)


def _order(each: CostedCell) -> tuple[str, str, int, str]:
    cell = each.cell.cell
    return cell.model, cell.profile, cell.length, each.label


def _quality(each: CostedCell, wanted: Wanted) -> CellQuality:
    values = each.cell.values(wanted.metric, masked=wanted.masked, k=wanted.k)
    low, high = user_interval(values)
    return CellQuality(
        each, float(values.mean()), low, high, tuple(map(float, values.mean(axis=1)))
    )


def _few_users(qualities: Sequence[CellQuality], wanted: Wanted) -> str:
    widest = max(qualities, key=lambda quality: quality.high - quality.low)
    return few_users(widest.cell.cell.users, wanted.column, widest.low, widest.high)


def _curve(con: sqlite3.Connection, row: Row, label: str, measure: str) -> Curve:
    run = str(row["run"])
    epochs = series.epoch_figures(con, run, [measure, "loss"])
    known = [
        (int(epoch), float(seconds), float(quality), float(loss))
        for epoch, _, _, _, seconds, _, quality, loss in epochs
        if seconds is not None and quality is not None and loss is not None
    ]
    numbers = tuple(epoch for epoch, *_ in known)
    best = row["BestEpoch"]
    return Curve(
        model=str(row["model"]),
        label=label,
        length=int(row["length"] or 0),
        epochs=numbers,
        seconds=tuple(accumulate(seconds for _, seconds, _, _ in known)),
        quality=tuple(quality for _, _, quality, _ in known),
        loss=tuple(loss for *_, loss in known),
        best=numbers.index(int(best))
        if isinstance(best, int | float) and best in numbers
        else None,
    )
