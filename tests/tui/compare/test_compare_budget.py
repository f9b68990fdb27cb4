"""The budget that settings were chosen with, on the comparison's screen."""

from __future__ import annotations

from pathlib import Path

from comparing import column_of, comparing
from measured_runs import MeasuredStore
from pilots import settled

from engine.spec import ChosenBy
from tui.compare.columns import columns_offer


async def test_by_hand_is_said_of_runs_and_cells_and_copied(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    store.add("sasrec", seed=1, profile="tuned")
    store.add("xlstm", seed=1, study=ChosenBy(study="one", trials=20, seconds=1234.5))
    store.add("bert4rec", seed=1)
    columns_offer().keep(("Trials", "TuningTime"))
    async with comparing(store) as (app, pilot):
        shown = dict(zip(column_of(app, "model"), column_of(app, "tuned_trials"), strict=True))
        assert shown == {"sasrec": "by hand", "xlstm": "20", "bert4rec": "–"}
        assert sorted(column_of(app, "tuned_seconds")) == ["1,234.50", "by hand", "–"]
        await pilot.press("Y")
        assert app.clipboard.split("\t")[1:] == [
            "sasrec",
            "ml-100k",
            "50",
            "1",
            "by hand",
            "by hand",
        ]
        await pilot.press("b")
        await settled(pilot)
        assert sorted(column_of(app, "tuned_trials")) == ["20", "by hand", "–"]
