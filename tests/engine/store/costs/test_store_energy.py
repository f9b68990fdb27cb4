"""A run's energy: of the devices that it is known of in every epoch, or absent."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from fuzzing import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured_runs import MeasuredStore
from written_journals import journal_lines, to_bytes

from engine.analysis.comparison import compare_rows
from engine.analysis.quality import parse_quality, with_costs_to_quality
from engine.metrics import RUN_ENERGY
from engine.runfolder import RunFolder
from engine.store.connect import connect_reader
from engine.store.costs.runs import run_costs, spent_to_reach
from engine.store.database import StoreConnection
from engine.store.intake.ingest import ingest
from engine.store.intake.rebuild import rebuild

Joules = Sequence[float | None]
ALWAYS = st.floats(0.001, 1e7)
SOMETIMES = st.none() | ALWAYS
EPOCHS = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        *(
            st.one_of(*(st.lists(each, min_size=n, max_size=n) for each in (ALWAYS, SOMETIMES)))
            for _ in range(2)
        ),
        st.lists(st.integers(0, 3), min_size=n, max_size=n),
    )
)
COLUMNS = ("EpochEnergy (J)", "EnergyToBest (J)", "TotalEnergy (J)")


def told(gpu: Joules, cpu: Joules) -> tuple[list[float] | None, str | None]:
    """The energy of each epoch, and what it is of."""
    found = {name: of for name, of in (("GPU", gpu), ("CPU", cpu)) if None not in of}
    if not found:
        return None, None
    sums = [sum(each) for each in zip(*found.values(), strict=True)]  # type: ignore[arg-type]
    return sums, " + ".join(found)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EPOCHS)
def test_every_figure_is_of_the_devices_known_in_every_epoch(
    writer: StoreConnection,
    add_run: Callable[..., RunFolder],
    epochs: tuple[list[float | None], list[float | None], list[int]],
) -> None:
    gpu, cpu, quality = epochs
    lines = journal_lines(epochs=range(1, len(gpu) + 1))
    for number, line in enumerate(line for line in lines if line["kind"] == "epoch"):
        line |= {"gpu_joules": gpu[number], "cpu_joules": cpu[number]}
        line |= {"valid_ndcg": quality[number] / 10}
    folder = add_run()
    run = folder.run_id
    folder.journal(1).write_bytes(to_bytes(lines))
    ingest(writer, folder, 1)
    each, of = told(gpu, cpu)
    best = quality.index(max(quality)) + 1

    costs = run_costs(writer, [run])[run]
    assert costs.joules_of == of
    (row,) = compare_rows(writer, filter=f"run={run}")
    shown = [row[name] for name in COLUMNS]
    assert shown[:2] == [costs.joules_per_epoch, costs.joules_to_best]
    reached = spent_to_reach(writer, "valid_ndcg", {run: max(quality) / 10})[run].joules
    above = compare_rows(writer, filter=f"run={run} total_energy>0 epoch_energy>0 best_energy>0")
    assert bool(above) == (each is not None)
    if each is None:
        assert (*shown, reached) == (None,) * 4
        return
    wanted = (statistics.median(each), sum(each[:best]), sum(each))
    assert shown == pytest.approx(wanted)
    assert reached == pytest.approx(sum(each[:best]))
    assert len(compare_rows(writer, filter=f'run={run} energy_of="{of}"')) == 1


def with_energy(lines: list[dict[str, object]], *joules: float) -> bytes:
    epochs = [line for line in lines if line["kind"] == "epoch"]
    for line, each in zip(epochs, joules, strict=True):
        line |= {"gpu_joules": each, "cpu_joules": None}
    return to_bytes(lines)


def test_epochs_that_a_resumed_run_repeats_count_once(
    writer: StoreConnection, add_run: Callable[..., RunFolder]
) -> None:
    folder = add_run()
    first = journal_lines(1, range(1, 4), end=None)
    folder.journal(1).write_bytes(with_energy(first, 10.0, 20.0, 30.0))
    ingest(writer, folder, 1)
    folder.journal(2).write_bytes(with_energy(journal_lines(2, range(3, 5), resumed=2), 31.0, 40.0))
    ingest(writer, folder, 2)
    (row,) = compare_rows(writer, filter=f"run={folder.run_id}")
    assert [row[name] for name in COLUMNS] == [25.5, 101.0, 101.0]


def test_a_run_of_before_has_no_energy_and_never_0(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add()
    for _ in range(2):
        with closing(connect_reader(store.location)) as con:
            (row,) = with_costs_to_quality(con, compare_rows(con), parse_quality("ndcg=50%"))
            assert [row[name] for name in (*COLUMNS, "EnergyToQuality (J)")] == [None] * 4
            assert compare_rows(con, filter="total_energy>=0") == []
            assert spent_to_reach(con, "valid_ndcg", {run: 0.0})[run].joules is None
        rebuild(store.location)


def test_what_is_rebuilt_has_the_same_energy(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add(epochs=2, end=None)
    folder = store.location.folder(run)
    lines = folder.journal(1).read_text().splitlines()
    told = [
        line.replace('"kind": "epoch"', f'"kind": "epoch", "gpu_joules": {n}.5, "cpu_joules": 1')
        for n, line in enumerate(lines)
    ]
    folder.journal(1).write_text("\n".join(told) + "\n")
    rebuild(store.location)
    figures = ", ".join((*RUN_ENERGY, "joules_of"))
    with closing(connect_reader(store.location)) as con:
        rows = con.rows(f"SELECT {figures} FROM summaries")
    assert [tuple(row) for row in rows] == [(3.0, 6.0, 6.0, "GPU + CPU")]
