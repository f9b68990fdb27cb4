"""What is said of a plot to who can't see it: true of the material, and in every format."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from html import escape
from pathlib import PurePosixPath

import pytest
from measured_runs import MeasuredStore
from reported_runs import USERS, reported_store

from engine.analysis.costs import COSTS
from engine.analysis.export import listed
from engine.report.blocks import Plot
from engine.report.gather import Material, Wanted, gather
from engine.report.html import html
from engine.report.markdown import markdown
from engine.report.plots import colours, curves_alt, curves_plot
from engine.report.write import compose
from engine.store.connect import connect_reader


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    return reported_store(tmp_path_factory.mktemp("reported"))


@pytest.fixture(scope="module")
def material(store: MeasuredStore) -> Material:
    with closing(connect_reader(store.location)) as con:
        return gather(con, store.location, store.catalogue, Wanted())


@pytest.fixture(scope="module")
def alts(store: MeasuredStore, material: Material) -> dict[str, str]:
    """What is said of each plot, by the plot's name, as it stands in both formats."""
    report = compose(material, store.catalogue)
    plots = [b for section in report.sections for b in section.blocks if isinstance(b, Plot)]
    page, text = html(report), markdown(report, PurePosixPath("plots"))
    for plot in plots:
        assert f'aria-label="{escape(plot.alt)}"' in page
        (shown,) = re.findall(rf"!\[(.*)\]\(plots/{plot.name}\.svg\)", text)
        assert re.sub(r"\\(.)", r"\1", shown) == plot.alt
    return {plot.name: plot.alt for plot in plots}


def test_the_points_and_their_users(material: Material, alts: dict[str, str]) -> None:
    (group,) = material.groups
    means = sorted(quality.mean for quality in group.qualities)
    said = alts["quality-ml-100k"]
    assert "NDCG@10/test of 4 cells on ml-100k" in said
    assert f"({means[0]:.4f} to {means[-1]:.4f})" in said
    assert f"over {USERS} test users" in said


def test_the_fronts(material: Material, alts: dict[str, str]) -> None:
    (group,) = material.groups
    said = alts["pareto-ml-100k"]
    panels = 0
    for cost in COSTS:
        known = [(q.cell.spread(cost), q.mean, q.cell.label) for q in group.qualities]
        sign = 1 if cost.better == "lower" else -1
        points = [(sign * found.mean, -mean, label) for found, mean, label in known if found]
        if not points:
            assert f"{cost.title}:" not in said
            continue
        panels += 1
        best = [
            label
            for x, y, label in points
            if not any(a <= x and b <= y and (a, b) != (x, y) for a, b, _ in points)
        ]
        assert re.search(rf"{re.escape(cost.title)}: {re.escape(listed(best))}[;.]", said)
    assert f"over {panels} costs" in said


def test_curves_of_one_model_are_told_apart_by_what_differs(material: Material) -> None:
    (group,) = material.groups
    lines = [
        replace(curve, label=("", "reference", "lr=0.0005")[number % 3])
        for number, curve in enumerate(group.curves)
        if curve.model == "sasrec"
    ]
    drawing = curves_plot("curves", lines, "NDCG@10/valid", colours(["sasrec"]))
    for title in ("sasrec", "sasrec reference", "sasrec lr=0.0005"):
        assert f">{title}</text>" in drawing
    assert len(set(re.findall(r"stroke-dasharray: ([\d.,]+)", drawing))) == 2
    said = curves_alt(lines, "NDCG@10/valid", "ml-100k")
    assert "2 of sasrec, 2 of sasrec reference and 2 of sasrec lr=0.0005" in said


def test_the_curves(material: Material, alts: dict[str, str]) -> None:
    (group,) = material.groups
    said = alts["curves-ml-100k"]
    chosen = sorted(c.quality[c.best] for c in group.curves if c.best is not None)
    assert "each of the lengths 50 and 100" in said
    assert "3 of bert4rec, 6 of sasrec and 3 of xlstm" in said
    marked = f"the chosen epoch marked ({chosen[0]:.4f} to {chosen[-1]:.4f})"
    assert f"NDCG@10/valid over seconds of training, {marked}" in said
