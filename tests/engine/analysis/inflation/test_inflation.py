"""What the maximum over epochs inflates: run by run, per cell, and in words."""

from __future__ import annotations

import json
import math
import sqlite3

import pytest

from engine.analysis.inflation.measured import INFLATED, CellInflation, inflation
from engine.analysis.inflation.text import format_inflation, inflation_sentences
from engine.store import series
from engine.store.compare.grouping import Choice, runs_of_cell


@pytest.fixture
def cells(con: sqlite3.Connection) -> list[CellInflation]:
    return inflation(con, Choice())


def test_it_is_the_maximum_less_the_value_at_the_chosen_epoch(
    con: sqlite3.Connection, cells: list[CellInflation]
) -> None:
    assert list(INFLATED) == ["HitRate@10/test", "MRR@10/test", "NDCG@10/test", "Recall@10/test"]
    for cell in cells:
        gaps, chosen = [], []
        for run in runs_of_cell(con, Choice(), cell.row.cell.name):
            epochs = series.epochs(con, run)
            best = max(epochs, key=lambda epoch: epoch["valid_ndcg"])["test_ndcg"]
            chosen.append(best)
            gaps.append(max(epoch["test_ndcg"] for epoch in epochs) - best)
        found = cell.metrics["NDCG@10/test"]
        mean = math.fsum(gaps) / len(gaps)
        assert found.inflation.mean == pytest.approx(mean)
        assert found.inflation.mean >= 0
        assert found.maximum.mean - found.chosen.mean == pytest.approx(mean)
        assert found.share == pytest.approx(mean / (sum(chosen) / len(chosen)))
        if len(gaps) == 2:
            expected = abs(gaps[0] - gaps[1]) / math.sqrt(2)
            assert found.inflation.deviation == pytest.approx(expected, abs=1e-9)
        else:
            assert found.inflation.deviation is None


def test_programs_get_every_digit_and_people_four(cells: list[CellInflation]) -> None:
    rows = json.loads(format_inflation(cells, "json"))
    assert len(rows) == len(cells)
    for row, cell in zip(rows, cells, strict=True):
        assert row["NDCG@10/test (inflation)"] == cell.metrics["NDCG@10/test"].inflation.mean
        assert row["settings"] == cell.row.cell.settings
    table = format_inflation(cells, "table")
    found = cells[0].metrics["NDCG@10/test"]
    assert f"+{found.inflation.mean:.4f} ± {found.inflation.deviation:.4f}" in table
    assert f"{100 * (found.share or 0):.1f} %" in table
    assert "lr=" in table, "two cells of one place are told apart"
    alike = [cell for cell in cells if cell.row.cell.model == "xlstm"]
    assert "label" not in format_inflation(alike, "table")
    assert format_inflation(alike, "md").startswith("| model | dataset | length | seeds |")


def test_the_whole_is_said_in_a_sentence(cells: list[CellInflation]) -> None:
    sentences = inflation_sentences(cells)
    assert len(sentences) == len(INFLATED)
    mean = sum(cell.metrics["MRR@10/test"].inflation.mean for cell in cells) / len(cells)
    assert sentences[1].startswith(f"Choosing the epoch by MRR@10/test itself adds {mean:.4f} (")
    assert sentences[1].endswith("%) on average over 10 cells.")
    assert inflation_sentences(cells[:1])[0].endswith("%) in the one cell.")
    assert inflation_sentences([]) == []
