"""Makes the two files beside it, in a checkout of the commit whose store they hold:

    git worktree add /tmp/old 2d91d01 && cp -r tests/engine/store/stores /tmp/old/tests/
    cd /tmp/old && PYTHONPATH=.:tests python tests/stores/make.py

``2d91d01.sql`` is a small store as that commit made it, as SQL; ``2d91d01.json`` is what it showed
of it. Some of that was wrong: two splits of one data set's name were one cell (``sasrec``), a
specification from before a setting was added was another cell (``xlstm``), and the Launch screen
averaged a seed that ran twice (``bert4rec``).
"""

from __future__ import annotations

import csv
import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import measured_runs
from engine.analysis.pivot_store import stored_pivot
from engine.analysis.pivot_text import format_pivot
from engine.store.grouping import Choice
from measured_runs import MeasuredStore

from engine.analysis.comparison import by_cell, compare_rows
from engine.interchange.history import import_history
from engine.spec import RunSpec, SplitRule
from engine.store import queries
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write

HERE = Path(__file__).parent
CHOSEN = ("model", "dataset", "length", "profile", "checksum", "seeds", "NDCG@10/test",
          "NDCG@10/test (std)", "Loss/train", "Loss/train (std)", "Model/TotalParams")  # fmt: skip


def fill(store: MeasuredStore, folder: Path) -> None:
    shipped = store.catalogue.run_spec

    def temporal(*cell: object, **other: object) -> RunSpec:
        spec = shipped(*cell, **other)
        source = spec.source.model_copy(update={"split": SplitRule(kind="temporal")})
        return spec.model_copy(update={"source": source})

    def add(model: str, seed: int, **other: object) -> str:
        return store.add(model, seed=seed, epochs=4, **other)

    add("sasrec", 1)
    add("sasrec", 2)
    object.__setattr__(store.catalogue, "run_spec", temporal)
    add("sasrec", 3)
    add("sasrec", 4)
    object.__setattr__(store.catalogue, "run_spec", shipped)
    for seed in (1, 2, 2):
        again = add("bert4rec", seed)
    with closing(connect_writer(store.location)) as con, write(con):
        con.execute("UPDATE runs SET best_test_ndcg = best_test_ndcg + 0.01 WHERE id = ?", (again,))
        con.execute(
            "UPDATE summaries SET test_ndcg_best = test_ndcg_best + 0.01 WHERE run = ?", (again,)
        )
    add("bert4rec", 3, end="failed")
    add("xlstm", 1)
    old = add("xlstm", 2)
    add("xlstm", 1, lr=0.002)
    with closing(connect_writer(store.location)) as con, write(con):
        spec = json.loads(con.rows("SELECT spec FROM specs WHERE run = ?", (old,))[0][0])
        del spec["training"]["window_overlap"], spec["source"]["split"], spec["variant"]
        con.execute("UPDATE specs SET spec = ? WHERE run = ?", (json.dumps(spec), old))
        from engine.store.settings import settings_of

        settings = settings_of(json.dumps(spec))
        con.execute("UPDATE runs SET settings = ? WHERE id = ?", (settings, old))
    log = folder / "history.csv"
    with log.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "NDCG@10/test", "Loss/train"])
        writer.writerows([[1, 0.05, 5000.0], [2, 0.06, 4900.0]])
    fixed = {"model": "sasrec", "dataset": "ml-100k", "length": "50", "seed": "3"}
    import_history(log, store.location, fixed=fixed)


def main() -> None:
    aside = Path(tempfile.mkdtemp())
    measured_runs.random.seed(27)
    store = MeasuredStore(aside)
    fill(store, aside)
    with closing(connect_reader(store.location)) as con:
        rows = by_cell(compare_rows(con), imported=True)
        pivot = json.loads(format_pivot(stored_pivot(con, Choice(), "best").rows, "json"))
        shown = {
            "by_cell": [{name: row[name] for name in CHOSEN} for row in rows],
            "pivot": [
                {"label": row["label"], "model": row["model"], "seeds": row["seeds"],
                 "NDCG@10/test": row["figures"]["NDCG@10/test"]}
                for row in pivot
            ],
            "launch": [
                {"model": cell.model, "mean": cell.score.mean, "std": cell.score.std,
                 "seeds": cell.score.seeds}
                for cell in queries.cells(con).values() if cell.score
            ],
        }  # fmt: skip
    with closing(sqlite3.connect(store.location.db)) as con:
        version = con.execute("PRAGMA user_version").fetchone()[0]
        text = "\n".join(con.iterdump()) + f"\nPRAGMA user_version = {version};\n"
    (HERE / "2d91d01.sql").write_text(f"-- Made by make.py at 2d91d01.\n{text}")
    (HERE / "2d91d01.json").write_text(json.dumps(shown, indent=1) + "\n")


if __name__ == "__main__":
    main()
