"""The whole report on a store with runs: what it says, and what it looks like in a browser."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from browser import contrast, look_at, needs_browser, print_pdf
from measured_runs import MeasuredStore
from report_words import made, words
from reported_runs import add_reported, reported_store

from engine.analysis.costs import EPOCH, PARAMETERS
from engine.errors import UsageError, UserError
from engine.marks import BUSY
from engine.report.blocks import Block, Commands, Plot, Report, Table
from engine.report.gather import Material, Wanted, gather
from engine.report.html import html
from engine.report.plots import cost_front
from engine.report.sections import statistics
from engine.report.sections.origin import reproduction
from engine.report.sections.scope import in_short, scope
from engine.report.sections.statistics import significance
from engine.report.write import write_report
from engine.spec import Suite
from engine.store.connect import connect_reader, connect_writer
from engine.store.queries import Run, list_runs

SUITE = Suite(
    name="mine",
    title="Three models on MovieLens",
    models=("sasrec", "bert4rec", "xlstm"),
    datasets=("ml-100k",),
    lengths=(50, 75),
    seeds=(1, 2, 4),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    return reported_store(tmp_path_factory.mktemp("reported"))


def runs_of(store: MeasuredStore) -> list[Run]:
    with closing(connect_reader(store.location)) as con:
        return list_runs(con)


def watch(store: MeasuredStore, run: str) -> None:
    """Let the driver have told something of a run's GPU."""
    told = "INSERT INTO telemetry (run, attempt, seq, t, gpu_others) VALUES (?, 1, 10000, 1, 0)"
    with closing(connect_writer(store.location)) as connection:
        connection.execute(told, (run,))


def gathered(store: MeasuredStore, wanted: Wanted) -> Material:
    with closing(connect_reader(store.location)) as con:
        return gather(con, store.location, store.catalogue, wanted)


@pytest.fixture(scope="module")
def report(store: MeasuredStore) -> Report:
    return made(store, Wanted())


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return html(report)


def blocks(report: Report, title: str) -> tuple[Block, ...]:
    return next(section.blocks for section in report.sections if section.title == title)


def tables(report: Report, title: str) -> list[Table]:
    return [block for block in blocks(report, title) if isinstance(block, Table)]


def test_every_part_is_there(report: Report) -> None:
    assert [section.title for section in report.sections] == [
        "In short",
        "Testing scope",
        "Results",
        "Other cut-offs, parts of the targets, and what is recommended",
        "Compared with published results",
        "Model capacity",
        "Memory",
        "Trade-offs",
        "Learning curves",
        "Which differences are shown",
        "What the maximum over epochs inflates",
        "Environment",
        "How to reproduce these results",
    ]


def test_it_says_what_the_pairs_say_and_no_more(report: Report) -> None:
    short = words(report, "In short")
    assert "ml-100k: sasrec L50 is shown to be best in NDCG@10/test, 0.3" in short
    assert "]: above bert4rec L50 (+0.0228 [+0.0026, +0.0431], p = .037)" in short
    assert " and xlstm L50 (+0.1" in short
    assert "p is corrected (Holm) for the tests of two models on a data set: 3 on ml-100k." in short
    (pairs,) = tables(report, "Which differences are shown")
    verdicts = {(row[0].lines[0], row[1].lines[0]): row[9].lines[0] for row in pairs.rows}
    assert verdicts["bert4rec L50", "sasrec L50"] == "no difference shown"
    assert verdicts["sasrec L50", "xlstm L50"] == "better"
    assert len(verdicts) == 6
    every = words(report, "Which differences are shown")
    assert "for the 6 comparisons of two cells listed here" in every
    assert "a difference may be shown there but not here" in every


def test_of_one_seed_it_claims_nothing_and_says_what_to_run(store: MeasuredStore) -> None:
    report = made(store, Wanted(filter="seed:1"))
    every = " ".join(words(report, section.title) for section in report.sections)
    claims = r"better|worse|(above|below) \w+ L=|best in|highest|shown to be|\bp [<=]"
    assert not re.search(claims, every)
    (short,) = (line for line in words(report, "In short").splitlines() if line.startswith("-"))
    assert short.startswith(
        "- ml-100k, NDCG@10/test: one seed each: no conclusion; `seqbench run --model "
        "bert4rec,sasrec,xlstm --dataset ml-100k --length 50 --seed 1,2,3 --profile reference`. "
        "Over users alone: sasrec L50 0.3"
    )
    (pairs,) = tables(report, "Which differences are shown")
    assert {row[7].lines for row in pairs.rows} == {("–",)}
    assert {row[9].lines for row in pairs.rows} == {("no conclusion: one seed each",)}
    assert "are over users (paired) alone" in words(report, "Which differences are shown")
    beside = words(report, "Compared with published results")
    assert "no conclusion: one seed" in beside
    assert "\none seed each: no conclusion; `seqbench run --model bert4rec,sasrec,xlstm " in beside


def test_few_users_are_warned_of_where_their_figures_stand(report: Report, tmp_path: Path) -> None:
    assert "Only" not in words(report, "In short") + words(report, "Results")
    few = reported_store(tmp_path)
    for run in runs_of(few):
        if run.state == "done":
            path = few.location.folder(run.id).test_ranks
            np.save(path, np.load(path, allow_pickle=False)[:, :90])
    found = made(few, Wanted())
    warning = "Only 90 test users: NDCG@10/test is known to about ±0.0"
    assert f"ml-100k: {warning}" in words(found, "In short")
    assert warning in words(found, "Results")


def test_costs_and_time_to_quality_are_beside_the_quality(report: Report) -> None:
    costs, balances = tables(report, "Trade-offs")
    assert costs.head[0:2] == ("cell", "NDCG@10/test")
    assert costs.head[-1] == "Time to quality, s"
    cells = {row[0].lines[0]: [cell.lines[0] for cell in row] for row in costs.rows}
    assert float(cells["sasrec L50"][-1]) > 0
    assert cells["xlstm L50"][-1] == "n/a"
    assert "times that with xlstm L50" in " ".join(balances.rows[0][1].lines)


def test_each_row_can_be_had_again(report: Report) -> None:
    (commands,) = (
        block
        for block in blocks(report, "How to reproduce these results")
        if isinstance(block, Commands)
    )
    assert len(commands.lines) == 4
    assert (
        "seqbench run --model sasrec --dataset ml-100k --length 50 --seed 1,2,3 --profile reference"
        in commands.lines
    )


def test_a_suite_is_told_with_what_is_missing_of_it(store: MeasuredStore) -> None:
    material = gathered(store, Wanted(suite=SUITE))
    found = Report("", (), (scope(material),))
    text = words(found, "Testing scope")
    assert "3 models × 1 data set × 2 lengths × 3 seeds, 18 runs in all. 6 of them are done" in text
    progress = tables(found, "Testing scope")[0]
    rows = {row[1].lines[0]: [cell.lines[0] for cell in row[2:]] for row in progress.rows}
    assert rows["sasrec"] == ["2 of 3: 1 queued", "0 of 3: 3 not run"]
    assert rows["xlstm"] == ["2 of 3: 1 failed", "0 of 3: 3 not run"]
    assert "bert4rec on ml-100k, L = 75, seeds 1, 2 and 4: not run" in text
    assert "seqbench run --suite mine" in text
    assert len(material.done) == 6  # at length 100 they are of no suite


def test_the_values_of_a_suite_s_sweep_are_told(store: MeasuredStore) -> None:
    suite = SUITE.model_copy(
        update={"models": ("sasrec",), "lengths": (50,), "overrides": {"lr": (0.001, 0.0005)}}
    )
    material = gathered(store, Wanted(suite=suite))
    text = words(Report("", (), (scope(material),)), "Testing scope")
    assert "1 length × 3 seeds × 2 values of lr, 6 runs in all. 2 of them are done" in text
    assert "sasrec lr=0.0005 on ml-100k, L = 50, seeds 1, 2 and 4: not run" in text
    assert "sasrec lr=0.001 on ml-100k, L = 50, seed 4: queued" in text


def test_runs_of_a_suite_are_known_by_its_name(tmp_path: Path) -> None:
    store = reported_store(tmp_path)
    for run in runs_of(store):
        store.set(run.id, suite="mine" if run.state == "done" else "other")
    suite = SUITE.model_copy(update={"lengths": (50,), "seeds": (42,)})
    material = gathered(store, Wanted(suite=suite))
    report = Report("", (), (scope(material), reproduction(material, store.catalogue)))
    text = words(report, "Testing scope")
    assert "3 models × 1 data set × 1 length × 3 seeds, 9 runs in all. 9 of them are done" in text
    assert "names the seed 42; its runs were launched with 1, 2 and 3" in text
    assert "Missing" not in text
    assert "3 more runs were launched as this suite for cells that it doesn't have" in text
    assert len(material.done) == 12
    again = words(report, "How to reproduce these results")
    assert "seqbench run --suite mine --seed 1,2,3" in again


def test_what_was_launched_as_the_suite_with_other_settings_stands_apart(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    for run in (
        add_reported(store, "sasrec", 50, 1),
        add_reported(store, "sasrec", 50, 2, lr=0.002),
    ):
        store.set(run, suite="mine")
    suite = SUITE.model_copy(update={"models": ("sasrec",), "lengths": (50,), "seeds": (1, 2)})
    material = gathered(store, Wanted(suite=suite))
    text = words(Report("", (), (scope(material),)), "Testing scope")
    assert "2 runs in all. 1 of them are done" in text
    assert "1 more run was launched as this suite with other settings than it now has" in text
    assert "sasrec × ml-100k × 50 (reference) has several rows, never averaged" in text
    assert [len(each.cell.runs) for each in material.groups[0].cells] == [1, 1]


def test_marks_are_said_and_stand_at_the_rows_concerned(tmp_path: Path) -> None:
    store = reported_store(tmp_path)
    disturbed, quiet = (
        next(run.id for run in runs_of(store) if (run.model, run.length, run.seed) == place)
        for place in (("xlstm", 50, 2), ("bert4rec", 50, 1))
    )
    store.set(disturbed, marks="shared throttled-heat")
    store.set(quiet, marks="")
    for run in (disturbed, quiet):
        watch(store, run)
    report = made(store, Wanted())
    found = next(t for t in tables(report, "Testing scope") if "Remarks" in t.caption)
    assert [row[0].lines for row in found.rows] == [("shared",), ("throttled-heat",)]
    assert found.rows[0][2].lines == ("xlstm L50 on ml-100k, seed 2",)
    assert "times, memory and utilization belong to both" in found.rows[0][3].lines[0]
    text = words(report, "Testing scope")
    assert "Of the 12 runs 1 trained undisturbed, as far as is known" in text
    assert "For 10 of the 12 runs it isn't known" in text
    note = "!: shared (1 of the runs) and throttled-heat (1 of the runs)"
    for title in ("Results", "Memory", "Trade-offs"):
        names = [row[0].lines[0] for row in tables(report, title)[0].rows]
        assert sum(name.endswith(" !") for name in names) == 1, title
        assert note in words(report, title)
    assert "Times, energy, memory and rates of marked runs aren't compared" in words(
        report, "Trade-offs"
    )
    assert "xlstm L50 !</th>" in html(report)


def test_what_is_still_improving_is_said_with_the_command_that_trains_on(tmp_path: Path) -> None:
    store = reported_store(tmp_path)
    ids = {(r.model, r.length, r.seed): r.id for r in runs_of(store)}
    whole = [ids["sasrec", 50, seed] for seed in (1, 2, 3)]
    one_of_three = ids["xlstm", 50, 1]
    for run in (*whole, one_of_three):
        # As its journal tells a run of eleven epochs.
        store.set(run, marks="still-improving", epochs=11, epoch=11, best_epoch=11)
        store.location.folder(run).checkpoint(1).touch()
    report = made(store, Wanted())
    found = next(t for t in tables(report, "Testing scope") if "Remarks" in t.caption)
    assert [row[0].lines for row in found.rows] == [("still-improving",)]
    assert "with more epochs its metrics may be better" in found.rows[0][3].lines[0]
    text = words(report, "Testing scope")
    assert "Metrics don't depend on time, and are valid" not in text
    assert f"seqbench continue {' '.join(whole)} --epochs 22" in text
    assert "seqbench run --model xlstm --dataset ml-100k --length 50 --seed 1,2,3 " in text
    assert "--set epochs=22" in text
    assert "For 12 of the 12 runs it isn't known" in text
    names = [row[0].lines[0] for row in tables(report, "Results")[0].rows]
    assert sum(name.endswith(" !") for name in names) == 2


def test_another_metric_and_fewer_runs(store: MeasuredStore) -> None:
    wanted = Wanted(filter="model:sasrec length:50", metric="recall", masked=True)
    material = gathered(store, wanted)
    found = Report("", (), (in_short(material), significance(material)))
    short = words(found, "In short")
    assert "Recall@10/test (seen masked)" in short
    assert "there is nothing to compare it with" in short
    assert "There are no two cells" in words(found, "Which differences are shown")


def test_of_very_many_pairs_the_most_certain_are_listed(
    store: MeasuredStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    material = gathered(store, Wanted())
    (group,) = material.groups
    assert len(group.pairs) == 6
    whole = [block for block in significance(material).blocks if isinstance(block, Table)]
    monkeypatch.setattr(statistics, "MOST_PAIRS", 2)
    found = significance(material)
    (table,) = (block for block in found.blocks if isinstance(block, Table))
    listed = [row[0].lines + row[1].lines for row in table.rows]
    p = {(pair.a.label, pair.b.label): pair.difference.p for pair in group.pairs}
    assert [both for both in p if both in listed] == listed
    assert sorted(p[both] for both in listed) == sorted(p.values())[:2]
    assert set(table.rows) <= set(whole[0].rows)
    apart = sum(pair.verdict in ("better", "worse") for pair in group.pairs)
    said = words(Report("", (), (found,)), "Which differences are shown")
    assert f"{apart} of 6 pairs show a difference. The 2 with the smallest p are listed" in said


def test_nothing_done_is_answered_in_a_sentence(store: MeasuredStore) -> None:
    with pytest.raises(UsageError, match="nothing to report"):
        gathered(store, Wanted(filter="state:failed"))
    with pytest.raises(UsageError, match="there is no field 'modle'"):
        gathered(store, Wanted(filter="modle:sasrec"))


def test_the_same_runs_give_the_same_bytes(store: MeasuredStore, page: str) -> None:
    assert html(made(store, Wanted())) == page


def test_a_cell_with_marked_times_is_on_no_front_of_a_measured_cost(tmp_path: Path) -> None:
    store = reported_store(tmp_path)

    def fronts() -> dict[str, list[str]]:
        (group,) = gathered(store, Wanted()).groups
        found = {}
        for cost in (EPOCH, PARAMETERS):
            known = [(each.cell.spread(cost), each) for each in group.qualities]
            points = [(spread.mean, each) for spread, each in known if spread is not None]
            found[cost.title] = [points[i][1].cell.label for i in cost_front(points, cost)]
        return found

    before = fronts()
    assert all("sasrec" in front[0] for front in before.values())
    place = ("sasrec", 50, "done")
    run = next(r.id for r in runs_of(store) if (r.model, r.length, r.state) == place)
    store.set(run, marks=BUSY)
    after = fronts()
    assert before[EPOCH.title][0] not in after[EPOCH.title]
    assert after[PARAMETERS.title] == before[PARAMETERS.title]


def test_markdown_has_its_plots_beside_it(report: Report, tmp_path: Path) -> None:
    written = write_report(report, tmp_path / "out.md")
    text = written.path.read_text(encoding="utf-8")
    linked = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert len(linked) == 3
    for name in linked:
        drawing = ElementTree.fromstring((tmp_path / name).read_text(encoding="utf-8"))
        assert drawing.tag.endswith("svg")
        assert "prefers-color-scheme: dark" in ElementTree.tostring(drawing, encoding="unicode")
    assert len(list((tmp_path / "out-plots").iterdir())) == 3


@pytest.mark.parametrize("name", ["absent/report.html", "absent/report.md", "report.pdf"])
def test_where_it_cannot_be_written_is_said(report: Report, tmp_path: Path, name: str) -> None:
    # A folder of its own: matplotlib puts its own one into the test's configuration.
    folder = tmp_path / "reports"
    folder.mkdir()
    with pytest.raises(UserError, match=r"can't be written|end it with \.md or \.html"):
        write_report(report, folder / name)
    assert list(folder.iterdir()) == []


def test_the_page_asks_for_nothing_and_runs_nothing(page: str) -> None:
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!#|data:)', page.replace("xlink:href", "href")) == []
    assert "default-src 'none'" in page


def test_drawings_are_well_formed_with_text_as_text(report: Report) -> None:
    plots = [b for section in report.sections for b in section.blocks if isinstance(b, Plot)]
    assert [plot.name for plot in plots] == ["quality-ml-100k", "pareto-ml-100k", "curves-ml-100k"]
    names: list[str] = []
    for plot in plots:
        drawing = ElementTree.fromstring(plot.svg)
        texts = [text for text in drawing.itertext() if text.strip()]
        assert any("NDCG@10" in text for text in texts)
        assert "#0101" not in plot.svg
        names += re.findall(r' id="(.*?)"', plot.svg)
    assert len(names) == len(set(names))


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
def test_in_a_browser_it_fits_and_can_be_read(page: str, dark: bool) -> None:
    frames, console = look_at(page, (1280, 400), dark=dark)
    assert console == ""
    for frame in frames:
        assert frame["needed"] <= frame["width"]
        assert frame["beyond"] == []
        assert frame["loaded"] == []
        assert len(frame["drawings"]) == 3
        assert all(width > 300 and height > 80 and texts > 5
                   for width, height, texts in frame["drawings"])  # fmt: skip
        assert (sum(map(int, re.findall(r"\d+", frame["paper"])[:3])) < 150) == dark
        assert len(frame["colours"]) == 5
        for name, colour in frame["colours"].items():
            assert contrast(colour, frame["paper"]) >= 4.5, name


@needs_browser
def test_it_prints(page: str) -> None:
    content = print_pdf(page)
    assert content.startswith(b"%PDF")
    sheets = len(re.findall(rb"/Type\s*/Page\b", content))
    assert 3 <= sheets <= 15
