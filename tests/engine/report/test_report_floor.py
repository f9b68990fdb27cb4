"""The floor in the report."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from floor_stores import floor_store

from engine.report.gather import Wanted
from engine.report.write import make_report, write_report
from engine.store.connect import connect_reader


@pytest.mark.parametrize("filter_", ["", "-objective:fitted"])
def test_it_is_named_and_what_is_not_above_it_is_marked(tmp_path: Path, filter_: str) -> None:
    """Whether the floor's own run is in the report or not."""
    store = floor_store(tmp_path)
    with closing(connect_reader(store.location)) as con:
        report = make_report(con, store.location, store.catalogue, Wanted(filter=filter_))
    for name in ("report.md", "report.html"):
        write_report(report, tmp_path / name)
        text = (tmp_path / name).read_text().replace("&#39;", "'")
        assert "Floor: Markov counts 0.0" in text
        assert "1 of 3 trained cells can't be distinguished from the floor, Markov counts" in text
        assert "and 1 lies below it." in text
        assert "bert4rec L50 ≈" in text
        assert "xlstm L50 ▽" in text
        assert "sasrec L50 ≈" not in text
        assert "50 ≈" in text
