"""A refit on the Compare screen: beside the run that it refits, and told from it."""

from __future__ import annotations

from pathlib import Path

from comparing import column_of, comparing
from measured_runs import MeasuredStore
from pilots import settled

from engine.planning import enqueue_refits


async def test_a_refit_is_told_from_the_run_that_it_refits(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add("sasrec")
    (refit,) = enqueue_refits(store.location, store.catalogue, [run])
    async with comparing(store) as (app, pilot):
        await settled(pilot)
        told = dict(zip(column_of(app, "id"), column_of(app, "model"), strict=True))
        assert told == {run: "sasrec", refit: "sasrec refit"}
