"""What a run's page says of evaluations under other rules."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from measured_runs import MeasuredStore
from pilots import settled, wait_for
from textual.widgets import Static

from engine.results.evaluations import FORMAT
from engine.store.connect import connect_writer
from engine.store.database import write
from engine.store.intake.evaluations import keep_evaluations
from tui.app import SeqbenchApp
from tui.run.screen import RunScreen


def evaluated(store: MeasuredStore, run: str, targets: str, ndcg: float) -> None:
    """Give a run an evaluation, as `seqbench evaluate` writes it."""
    folder = store.location.folder(run)
    rule = f"temporal-{targets}"
    content = {
        "format": FORMAT, "rule": rule, "split": {"kind": "temporal", "targets": targets},
        "protocol": 2, "checksum": "abc", "made_with": {},
        "metrics": {f"test_{name}": ndcg for name in ("ndcg", "recall", "mrr")},
        "counts": {"test_targets": 1234, "test_users": 567},
    }  # fmt: skip
    folder.evaluation(rule).write_text(json.dumps(content))
    with closing(connect_writer(store.location)) as con, write(con):
        keep_evaluations(con, folder)


async def test_the_page_shows_other_rules_where_there_are_any(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add("sasrec")
    app = SeqbenchApp(store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await app.push_screen(RunScreen(run))
        await settled(pilot)
        panel = app.screen.query_one("#elsewhere", Static)
        assert not panel.display
        evaluated(store, run, "last", 0.4321)
        evaluated(store, run, "first", 0.1234)
        await wait_for(pilot, lambda: len(str(panel.content).splitlines()) == 4, "both rules")
        assert panel.border_title == "Under other rules"
        head, first, last, note = str(panel.content).splitlines()
        assert head.split() == ["NDCG@10", "Recall@10", "MRR@10", "targets", "users"]
        assert first.split() == ["temporal,", "first", *["0.1234"] * 3, "1,234", "567"]
        assert last.split() == ["temporal,", "last", *["0.4321"] * 3, "1,234", "567"]
        assert [len(line) for line in (head, first)] == [len(last)] * 2
        assert note == "The same model, chosen under its own rule."
