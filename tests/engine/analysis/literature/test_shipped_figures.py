"""The published results that seqbench brings along."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from engine.analysis.literature.figures import PublishedFigure, figures_of
from engine.config import Catalogue, builtin_configs, load_catalogue


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def figures(catalogue: Catalogue) -> list[PublishedFigure]:
    return figures_of(catalogue.published.values())


def test_there_are_more_than_sixty_beside_the_reference_table(
    figures: list[PublishedFigure],
) -> None:
    tables = Counter(figure.table for figure in figures)
    assert tables.total() - tables["reference-27"] >= 60
    assert len(tables) >= 10


def test_a_files_name_is_its_tables(catalogue: Catalogue) -> None:
    files = {path.stem for path in (builtin_configs() / "published").glob("*.yaml")}
    assert files == set(catalogue.published)


def test_every_source_has_a_public_address(catalogue: Catalogue) -> None:
    public = re.compile(
        r"https://(github\.com/[\w.-]+/[\w.-]+(/blob/[\w./-]+)?|arxiv\.org/abs/\d{4}\.\d{5})"
    )
    for table in catalogue.published.values():
        assert table.source
        if table.name != "reference-27":  # a scan
            assert public.fullmatch(table.address), table.name


def test_values_are_those_of_metrics(figures: list[PublishedFigure]) -> None:
    for figure in figures:
        assert 0 < figure.value < 1, figure
        assert figure.setup.seen is None or figure.part is not None or figure.epoch == "max"


def test_metrics_of_one_row_are_in_their_order(figures: list[PublishedFigure]) -> None:
    """MRR ≤ NDCG ≤ HitRate at one k, and none falls as k rises: a slip of the pen would show."""
    rows: dict[tuple[object, ...], dict[tuple[str, int], PublishedFigure]] = {}
    for each in figures:
        metric = "hit" if each.metric == "recall" else each.metric
        row = (each.table, each.model, each.label, each.dataset, each.where, each.setup)
        rows.setdefault(row, {})[metric, each.k] = each
    pairs = 0
    for row in rows.values():
        for (metric, k), figure in row.items():
            for (other, at), another in row.items():
                below = ("mrr", "ndcg", "hit")
                smaller = below.index(metric) <= below.index(other) and k <= at
                if figure.table != "reference-27" and smaller and figure is not another:
                    assert figure.value <= another.value, (figure, another)
                    pairs += 1
    assert pairs > 300


def test_what_isnt_known_is_said(figures: list[PublishedFigure]) -> None:
    unsaid = [figure for figure in figures if figure.table == "xlstm4rec"]
    assert unsaid
    assert all(figure.setup.split is None and figure.setup.seen is None for figure in unsaid)


def test_a_users_file_in_the_earlier_form_and_place_is_read(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "mine.yaml").write_text(
        "name: mine\ntitle: Mine\nsource: a paper\nsuite: smoke\nranking: seen-masked\n"
        "aggregate: best\nsplit: as logged\ncells:\n"
        "  - {model: sasrec, dataset: ml-1m, length: 50, figures: {NDCG@10/test: 0.130}}\n"
    )
    catalogue = load_catalogue(tmp_path)
    table = catalogue.published["mine"]
    assert (table.protocol.seen, table.protocol.epoch, table.note) == (
        "masked",
        "best",
        "as logged",
    )
    (figure,) = figures_of([table])
    assert (figure.name, str(figure.value), figure.setup.length) == ("NDCG@10", "0.130", 50)
    assert figure.source == "valid_ndcg_masked_best"
    assert "reference-27" in catalogue.published


def test_a_users_file_of_the_earlier_form_overrides_ours(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "reference-27.yaml").write_text(
        "name: reference-27\ntitle: Mine\nranking: seen-masked\n"
    )
    table = load_catalogue(tmp_path).published["reference-27"]
    assert (table.title, table.protocol.seen, table.protocol.epoch) == ("Mine", "masked", "max")
    assert len(table.cells) == 18
