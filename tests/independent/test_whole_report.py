"""Every sentence of a report on real runs holds, judged by a program that shares no code with it;
and that program can tell."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from user_lab import Lab

from .check import check

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FIGURE = re.compile(r"(?<![\d.=])\d[\d,]*\.\d\d+(?![\d.])")
"""A number with decimals, but for settings in the names of cells: another name is another cell."""


USERS, ITEMS, EACH = 400, 200, 50


def _interactions() -> str:
    """Draw histories of which an item's successor is often the next one, with times: some users
    come late, and so do some items."""
    chance = random.Random(0)
    successor = chance.sample(range(ITEMS), ITEMS)
    lines = []
    for user in range(USERS):
        time, item = chance.random() * 1000, 0
        for _ in range(EACH):
            time += chance.expovariate(0.1)
            known = ITEMS - 20 + int(20 * min(1.0, time / 1500))
            drawn = int(known * chance.random() ** 2)
            item = successor[item] if chance.random() < 0.5 else drawn
            item = item if item < known else drawn
            lines.append(f"{USERS - user}\t{item + 1}\t3\t{int(time)}\n")
    return "".join(lines)


def _add_data(folder: Path) -> None:
    """Add one data set under two names: split by leave-one-out, and by time."""
    (folder / "data" / "chain").mkdir()
    text = _interactions()
    (folder / "data" / "chain" / "u.data").write_text(text)
    items = len({line.split("\t")[1] for line in text.splitlines()})
    entry = {
        "reader": "movielens-tab", "folder": "chain", "files": {"u.data": None}, "size": "small",
        "users": USERS, "items": items, "interactions": USERS * EACH,
    }  # fmt: skip
    for name, kind in (("chain", "leave-one-out"), ("chain-time", "temporal")):
        content = {"name": name, "title": name, "split": {"kind": kind}, **entry}
        path = folder / "configs" / "datasets" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content))


def _tune(lab: Lab) -> None:
    """Choose settings of two models, and of one with pruning; train a recipe that says who did."""
    on = ("--dataset", "chain", "--length", "20", "--final-seeds", "2", "--wait")
    for model in ("sasrec", "gru4rec"):
        (lab.folder / f"{model}.yaml").write_text(yaml.safe_dump({"name": model, "space": SPACE}))
    own, other = (("--space", str(lab.folder / f"{name}.yaml")) for name in ("sasrec", "gru4rec"))
    few = ("--trials", "10", "--set", "epochs=2", "--name", "first")
    lab.run("tune", "--model", "sasrec,gru4rec", *few, *own, *other, *on)
    halved = ("--trials", "6", "--set", "epochs=9", "--prune", "asha", "--name", "halved")
    lab.run("tune", "--model", "sasrec", *halved, *own, *on)
    tuned = ("--profile", "tuned", "--set", "epochs=2", "--seed", "1,2", *on[:4], "--wait")
    lab.run("run", "--model", "sasrec", *tuned)


SPACE = {
    "lr": {"low": 0.001, "high": 0.1, "log": True},
    "dropout": [0.1, 0.3, 0.5],
    "batch_size": [128, 512],
}

SUITE = {
    "name": "chains", "title": "Chains", "models": ["sasrec", "markov"], "datasets": ["chain"],
    "lengths": [10], "seeds": [1, 2, 3], "profile": "reference", "overrides": {"patience": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A store with three models, of which one has two lengths and other settings, and one stops too
    early, with their floor, also of data split by time, and refits; and its report. Some runs were
    launched as a suite."""
    lab = Lab(tmp_path_factory.mktemp("reported"))
    _add_data(lab.folder)
    common = ("--dataset", "chain", "--set", "patience=1", "--wait")
    suites = lab.folder / "configs" / "suites"
    suites.mkdir()
    (suites / "chains.yaml").write_text(yaml.safe_dump(SUITE))
    lab.run("run", "--model", "sasrec", "--length", "20", "--seed", "1,2,3", *common)
    lab.run("run", "--model", "sasrec", "--length", "10", "--seed", "1,2", *common)
    lab.run("run", "--suite", "chains", "--wait")
    lab.run("run", "--model", "xlstm", "--length", "10", "--seed", "1,2", *common)
    cut = ("--set", "epochs=2")
    lab.run("run", "--model", "bert4rec", "--length", "10", "--seed", "1,2", *common, *cut)
    other = ("--set", "lr=0.003", "--set", "dropout=0.4")
    lab.run("run", "--model", "xlstm", "--length", "10", "--seed", "1,2", *common, *other)
    by_time = ("--dataset", "chain-time", "--set", "patience=1", "--wait")
    lab.run("run", "--model", "sasrec", "--length", "10", "--seed", "1,2", *by_time)
    lab.run("run", "--model", "markov", "--length", "10", "--dataset", "chain,chain-time", "--wait")
    lab.run("evaluate", "--filter", "data:chain-time", "--targets", "last")
    lab.run("refit", "--filter", "data:chain-time", "--wait")
    _tune(lab)
    lab.run("report", "-o", str(lab.folder / "report.md"))
    yield lab
    lab.end()


def test_cells_that_differ_in_settings_are_named_by_them(lab: Lab) -> None:
    text = (lab.folder / "report.md").read_text(encoding="utf-8")
    assert "xlstm L10 lr=0.003" in text
    assert "xlstm L10 reference" in text


def test_budgets_and_studies_are_told(lab: Lab) -> None:
    text = (lab.folder / "report.md").read_text(encoding="utf-8")
    assert "chain: settings were chosen with different budgets" in text
    assert "### Study first: chain, L = 20" in text
    assert "### Study halved: chain, L = 20" in text


def test_the_floor_is_told(lab: Lab) -> None:
    text = (lab.folder / "report.md").read_text(encoding="utf-8")
    assert "the floor, Markov counts" in text
    assert "Floor: Markov counts" in text


def test_every_sentence_holds(lab: Lab) -> None:
    found = check(lab.folder / "report.md", lab.location.runs, lab.folder / "data")
    assert [each for each in found if each.state != "holds"] == []
    assert len(found) > 100


@pytest.mark.parametrize("metric", ["recall@50", "ndcg_masked@5"])
def test_every_sentence_about_another_metric_holds(lab: Lab, tmp_path: Path, metric: str) -> None:
    lab.run("report", "--metric", metric, "-o", str(tmp_path / "report.md"))
    found = check(tmp_path / "report.md", lab.location.runs, lab.folder / "data")
    assert [each for each in found if each.state != "holds"] == []
    assert len(found) > 100


@pytest.mark.parametrize(
    "words",
    [("--suite", "chains"), ("--filter", "suite=chains"), ("--filter", "refits:*")],
    ids=str,
)
def test_every_sentence_about_a_part_of_the_runs_holds(
    lab: Lab, tmp_path: Path, words: tuple[str, str]
) -> None:
    lab.run("report", *words, "-o", str(tmp_path / "report.md"))
    suites = lab.folder / "configs" / "suites"
    found = check(tmp_path / "report.md", lab.location.runs, lab.folder / "data", suites)
    assert [each for each in found if each.state != "holds"] == []
    assert len(found) > 50


def test_each_figure_that_is_changed_is_found(lab: Lab, tmp_path: Path) -> None:
    """One in each line at a time, by a few units of its last digit."""
    lines = (lab.folder / "report.md").read_text(encoding="utf-8").splitlines()
    figures = [[] if line.startswith("```") else list(FIGURE.finditer(line)) for line in lines]
    assert sum(map(len, figures)) > 500
    for turn in range(max(map(len, figures))):
        changed = [
            _changed(line, own[turn]) if turn < len(own) else line
            for line, own in zip(lines, figures, strict=True)
        ]
        (tmp_path / "report.md").write_text("\n".join(changed), encoding="utf-8")
        found = check(tmp_path / "report.md", lab.location.runs, lab.folder / "data")
        false = [each for each in found if each.state == "false"]
        assert len(false) == sum(turn < len(own) for own in figures), f"figure {turn} of a line"


def _changed(line: str, figure: re.Match[str]) -> str:
    digits = figure[0].replace(",", "")
    decimals = len(digits.partition(".")[2])
    other = f"{float(digits) + 4 * 10**-decimals:,.{decimals}f}"
    return line[: figure.start()] + other + line[figure.end() :]
