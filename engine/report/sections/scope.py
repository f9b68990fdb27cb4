"""Sections on the outcome in short, and on which runs were wanted, ran, or are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from engine.analysis.apart import why_apart
from engine.analysis.claims.words import Standing, headline, standing_note
from engine.analysis.comparison import by_cell
from engine.analysis.costs import CostedCell
from engine.analysis.export import listed
from engine.analysis.floor import summary_sentence
from engine.analysis.refits import without_refits
from engine.analysis.run.relaunch import suite_command
from engine.config.overrides import swept, swept_settings
from engine.lifecycle import DIED
from engine.marks import STILL_IMPROVING
from engine.order import settings_text
from engine.report.blocks import Block, Bullets, Commands, Paragraph, Section, table
from engine.report.gather import DataGroup, Material
from engine.report.planned import Planned, SuiteRuns
from engine.report.remarks import remarks_table
from engine.report.wording import counted
from engine.spec import Suite


def in_short(material: Material) -> Section:
    """Make the section that sums up each data set in a sentence or two."""
    blocks: list[Block] = []
    if not material.groups:
        blocks.append(Paragraph("No cell has test ranks: no conclusion about differences."))
    else:
        wanted = material.wanted
        name = wanted.column
        blocks.append(Bullets(tuple(_headline(group, name) for group in material.groups)))
        families = [(group.title, group.tradeoffs.family) for group in material.groups]
        blocks.append(Paragraph(standing_note(families), quiet=True))
    blocks += [
        Paragraph(
            f"{group.title}: "
            f"{summary_sentence(group.floor, list(group.standings.values()), *_unsure(group))}."
        )
        for group in material.groups
        if group.floor
    ]
    blocks += [
        Paragraph(f"{group.title}: {group.few_users}")
        for group in material.groups
        if group.few_users
    ]
    blocks += [
        Paragraph(f"{group.title}: {counted(left, 'cell')} trained with validation included "
                  f"({'a refit' if len(left) == 1 else 'refits'}): not compared here.", quiet=True)
        for group in material.groups
        if (left := _refits_beside(group))
    ]  # fmt: skip
    blocks += [Paragraph(problem, quiet=True) for problem in material.problems]
    return Section("In short", tuple(blocks))


def _refits_beside(group: DataGroup) -> list[CostedCell]:
    """List the refits of a group that also has other cells, which alone are compared."""
    compared = without_refits(group.cells, lambda each: each.is_refit)
    return [each for each in group.cells if each not in compared]


def _unsure(group: DataGroup) -> tuple[int, int]:
    """Count among the cells that were compared with the floor those with one seed, and those that
    were still improving at their epoch limit."""
    ranked = [each.cell for each in group.cells if each.cell.cell in group.standings]
    improving = sum(STILL_IMPROVING in each.side.marks for each in ranked)
    return sum(len(each.runs) == 1 for each in ranked), improving


def _headline(group: DataGroup, name: str) -> str:
    found = group.tradeoffs
    qualities = {id(each.cell): each for each in group.qualities}
    ranked = []
    for balance in found.balances:
        each = qualities[id(balance.cell)]
        ranked.append(Standing(balance.cell.cell.side, each.mean, each.low, each.high))
    users = found.balances[0].cell.cell.users
    return headline(group.title, name, users, ranked, found.claims)


def scope(material: Material) -> Section:
    """Make the section on the runs that the report is about."""
    blocks: list[Block] = []
    if material.suite_runs is not None:
        blocks += _suite(material.suite_runs)
    else:
        blocks += _found(material)
    blocks += [
        Paragraph(sentence)
        for sentence in why_apart(by_cell(material.done, material.counted, material.labels))
    ]
    blocks += remarks_table(material.done, material.watched, material.further)
    failed = [run for run in material.runs.values() if run.state in DIED]
    if failed:
        rows = [[run.id, run.state, run.message or run.cause or ""] for run in failed]
        blocks.append(table(["run", "state", "why"], rows, caption="Runs that didn't finish"))
    return Section("Testing scope", tuple(blocks))


def _suite(suite_runs: SuiteRuns) -> Iterator[Block]:
    suite, planned = suite_runs.suite, suite_runs.runs
    done = sum(each.state == "done" for each in planned)
    axes = (
        counted({each.spec.model for each in planned}, "model"),
        counted({each.spec.dataset for each in planned}, "data set"),
        counted({each.spec.length for each in planned}, "length"),
        counted({each.spec.seed for each in planned}, "seed"),
    )
    variants = {each.spec.recipe for each in planned}
    more = f" × {len(variants)} recipes" if len(variants) > 1 else ""
    for setting, values in swept(suite.overrides).items():
        more += f" × {values} values of {setting}"
    yield Paragraph(
        f"The suite {suite.name} ({suite.title}): {' × '.join(axes)}{more}, "
        f"{len(planned)} runs in all. {done} of them are done."
    )
    if suite.seeds != suite_runs.named_seeds:
        one = len(suite_runs.named_seeds) == 1
        yield Paragraph(
            f"The suite names the {'seed' if one else 'seeds'} "
            f"{listed(map(str, suite_runs.named_seeds))}; its runs were launched with "
            f"{listed(map(str, suite.seeds))}, and these are counted.",
            quiet=True,
        )
    lengths = sorted({each.spec.length for each in planned})
    rows = []
    datasets = list(dict.fromkeys(p.spec.dataset for p in planned))
    places = dict.fromkeys((p.spec.dataset, p.spec.model) for p in planned)
    for dataset, model in sorted(places, key=lambda place: datasets.index(place[0])):
        of_row = [p for p in planned if (p.spec.dataset, p.spec.model) == (dataset, model)]
        texts = [_progress([p for p in of_row if p.spec.length == length]) for length in lengths]
        rows.append([dataset, model, *texts])
    head = ["data set", "model", *(f"L = {length}" for length in lengths)]
    yield table(head, rows, caption="Finished runs, out of those requested")
    missing = [each for each in planned if each.state != "done"]
    if missing:
        yield Paragraph("Missing:")
        yield Bullets(tuple(_missing(missing, suite)))
        yield Paragraph("This launches what was not run or didn't finish:")
        yield Commands((suite_command(suite),))
    yield from _beside(suite_runs)


def _beside(suite_runs: SuiteRuns) -> Iterator[Block]:
    """Mention runs with the suite's name that it doesn't ask for now."""
    for runs, how in (
        (suite_runs.other_cells, "for cells that it doesn't have"),
        (suite_runs.other_settings, "with other settings than it now has for these cells"),
    ):
        if runs:
            were = "run was" if len(runs) == 1 else "runs were"
            yield Paragraph(
                f"{len(runs)} more {were} launched as this suite {how}: they have rows of their "
                "own below, and are not counted here.",
                quiet=True,
            )


def _progress(planned: Sequence[Planned]) -> str:
    if not planned:
        return "–"
    states = Counter(each.state or "not run" for each in planned)
    done = states.pop("done", 0)
    rest = ", ".join(f"{number} {state}" for state, number in states.items())
    return f"{done} of {len(planned)}" + (f": {rest}" if rest else "")


def _missing(planned: Sequence[Planned], suite: Suite) -> Iterator[str]:
    """Yield a line for the lengths of a data set, model and values of a sweep that lack the same
    seeds."""
    seeds: dict[tuple[str, str, str, int], list[int]] = {}
    for each in planned:
        spec, state = each.spec, each.state or "not run"
        values = settings_text(swept_settings(suite.overrides, spec)).items()
        model = " ".join([spec.model, *(f"{key}={value}" for key, value in values)])
        seeds.setdefault((spec.dataset, model, state, spec.length), []).append(spec.seed)
    lengths: dict[tuple[str, str, str, tuple[int, ...]], list[int]] = {}
    for (*place, length), missed in seeds.items():
        dataset, model, state = place
        key = (dataset, model, state, tuple(sorted(set(missed))))
        lengths.setdefault(key, []).append(length)
    for (dataset, model, state, missed_seeds), of_line in lengths.items():
        word = "seed" if len(missed_seeds) == 1 else "seeds"
        yield (
            f"{model} on {dataset}, L = {listed(map(str, sorted(of_line)))}, "
            f"{word} {listed(map(str, missed_seeds))}: {state}"
        )


def _found(material: Material) -> Iterator[Block]:
    states = Counter(str(row["state"]) for row in material.rows)
    told = listed(f"{number} {state}" for state, number in states.items())
    meant = (
        f"Runs that meet the filter {material.wanted.filter}"
        if material.wanted.filter
        else "All runs"
    )
    yield Paragraph(f"{meant}: {told}. Only finished runs are reported.")
    done = material.done
    lengths = sorted({int(row["length"] or 0) for row in done})
    rows = []
    for dataset, model in dict.fromkeys((row["dataset"], row["model"]) for row in done):
        of_row = [row for row in done if (row["dataset"], row["model"]) == (dataset, model)]
        counts = [sum(row["length"] == length for row in of_row) for length in lengths]
        rows.append([str(dataset), str(model), *(str(n) if n else "–" for n in counts)])
    head = ["data set", "model", *(f"L = {length}" for length in lengths)]
    yield table(head, rows, figures=range(2, len(head)), caption="Finished runs")
