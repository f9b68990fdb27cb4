"""That a report's plots can be read: points are in sight, looks differ, and labels leave room."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest
from matplotlib.figure import Figure
from measured_runs import MeasuredStore
from reported_runs import reported_store

from engine.analysis.costs import EPOCH, PARAMETERS, SPEED_1
from engine.report import plots
from engine.report.gather import DataGroup, Wanted, gather
from engine.report.plots import MOST_LABELLED, CellQuality, colours
from engine.store.connect import connect_reader

COSTS = (EPOCH, PARAMETERS, SPEED_1)


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> DataGroup:
    store: MeasuredStore = reported_store(tmp_path_factory.mktemp("reported"))
    with closing(connect_reader(store.location)) as con:
        (found,) = gather(con, store.location, store.catalogue, Wanted()).groups
    return found


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures, as they are laid out."""
    kept: list[Figure] = []

    def keep(figure: Figure, name: str) -> str:
        figure.draw_without_rendering()
        kept.append(figure)
        return name

    monkeypatch.setattr(plots, "svg_text", keep)
    return kept


def with_parameters(quality: CellQuality, number: int) -> CellQuality:
    """A cell with another number of parameters."""
    cell = quality.cell
    runs = tuple(run | {PARAMETERS.title: 1, "Model/TotalParams": number} for run in cell.cell.runs)
    return replace(quality, cell=replace(cell, cell=replace(cell.cell, runs=runs)))


def variants(group: DataGroup, number: int) -> Sequence[CellQuality]:
    """So many cells of one model, data set and length, told apart by long names of profiles."""
    quality = group.qualities[-1]
    cell = quality.cell.cell
    return [
        replace(
            quality,
            cell=replace(
                quality.cell,
                cell=replace(cell, label=f"{cell.label} study-of-a-very-long-name-{place}"),
            ),
            mean=quality.mean + place / 1000,
        )
        for place in range(number)
    ]


def test_no_two_models_look_alike() -> None:
    looks = colours([f"model{number}" for number in range(64)])
    assert len(set(looks.values())) == 64
    few = [*looks.values()][:8]
    assert len({colour for colour, _ in few}) == len({marker for _, marker in few}) == 8


def test_a_model_without_parameters_is_in_sight_beside_large_ones(
    group: DataGroup, drawn: list[Figure]
) -> None:
    sizes = (0, 20_000, 300_000, 4_000_000)
    shown = [with_parameters(each, size) for each, size in zip(group.qualities, sizes, strict=True)]
    looks = colours(["sasrec", "bert4rec", "xlstm"])
    plots.pareto_plot("pareto", shown, [PARAMETERS], "NDCG@10/test", looks)
    (axes,) = drawn[0].axes
    to_plot = axes.transData + axes.transAxes.inverted()
    across = [
        to_plot.transform((size, each.mean))[0] for size, each in zip(sizes, shown, strict=True)
    ]
    assert across == sorted(across)
    assert 0 < across[0] < 0.25
    assert 0.75 < across[-1] < 1


@pytest.mark.parametrize("number", [3, MOST_LABELLED, 40])
def test_long_names_leave_the_plots_their_room(
    group: DataGroup, drawn: list[Figure], number: int
) -> None:
    looks = colours(["sasrec", "bert4rec", "xlstm"])
    shown = variants(group, number)
    plots.pareto_plot("pareto", shown, COSTS, "NDCG@10/test", looks)
    for axes in drawn[0].axes:
        assert axes.get_position().width > 0.2
        assert len(axes.texts) <= MOST_LABELLED
        middle = (axes.bbox.x0 + axes.bbox.x1) / 2
        for text in axes.texts:
            point, _ = axes.transData.transform(text.xy)
            assert text.get_horizontalalignment() == ("left" if point < middle else "right")


def test_many_names_of_curves_leave_the_plots_their_room(
    group: DataGroup, drawn: list[Figure]
) -> None:
    curves = [
        replace(curve, label=f"lr=0.00{place}")
        for place in range(100)
        for curve in group.curves[:1]
    ]
    plots.curves_plot("curves", curves, "NDCG@10/valid", colours(["bert4rec"]))
    for axes in drawn[0].axes:
        assert axes.get_position().height * drawn[0].get_figheight() > 1.5
