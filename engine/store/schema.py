"""The tables of ``runs.db``, as migrations, and the names of their columns.

``sqlite_utils`` is imported only where a database is made or migrated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.metrics import AGGREGATES, EPOCH_MEASURES, SPEEDS

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

SCHEMA_VERSION = 7
"""``PRAGMA user_version`` of a database that all migrations were applied to."""

EPOCH_INTEGERS = ("step", "targets", "batches")
_FIRST_TELEMETRY = (
    "gpu_utilization",
    "gpu_memory_mib",
    "gpu_memory_total_mib",
    "gpu_power_w",
    "gpu_temperature_c",
    "process_gpu_memory_mib",
    "cpu_percent",
    "memory_used_mib",
    "memory_total_mib",
    "process_cpu_percent",
    "process_memory_mib",
)
TELEMETRY_MEASURES = (
    *_FIRST_TELEMETRY,
    "gpu_others",  # processes on the GPU beside the worker, at most, since the line before
    "gpu_throttle",  # why its clock was held down since the line before: NVML's bits
)
SUMMARY_MEASURES = tuple(f"{measure}_{how}" for measure in EPOCH_MEASURES for how in AGGREGATES)
"""Columns of ``summaries`` that are an aggregate over a run's epochs."""

INDEXED_SUMMARIES = (
    "epochs_trained",
    "loss_last",
    "loss_sum_max",
    "total_seconds",
    "train_seconds_mean",
    *(f"valid_{metric}_{how}" for metric in ("recall", "ndcg") for how in ("best", "max")),
    *(
        f"test_{metric}_{how}"
        for metric in ("hit", "recall", "mrr", "ndcg")
        for how in ("best", "max")
    ),
)
"""What comparisons are most often sorted by; other columns are sorted by a scan of the index that
holds one aggregate of every measure."""

CHECKSUM = """(
    SELECT CASE WHEN json_valid(fields) THEN json_extract(fields, '$.checksum') END FROM events
    WHERE run = runs.id AND kind = 'start' ORDER BY attempt DESC, seq DESC LIMIT 1)"""
"""SQL for the checksum of the data that a row of ``runs`` was trained on last."""

RUN_TABLES = ("specs", "epochs", "steps", "telemetry", "events", "attempts", "warnings")
"""Tables with a column ``run``, beside ``summaries`` and ``requests``."""


def migrations() -> Migrations:
    """All migrations, oldest first. Once released, one is never changed: add another."""
    from sqlite_utils import Migrations

    steps = Migrations("seqbench")

    @steps()
    def first_tables(db: Database) -> None:
        for statement in _first_tables():
            db.execute(statement)
        db.execute("PRAGMA user_version = 1")

    @steps()
    def hold(db: Database) -> None:
        # since: NULL while the queue is worked. released: when it last was let go on.
        db.execute(
            """CREATE TABLE hold (
                id INTEGER PRIMARY KEY CHECK (id = 1), since REAL, cause TEXT NOT NULL,
                message TEXT NOT NULL, released REAL)"""
        )
        db.execute("PRAGMA user_version = 2")

    @steps()
    def cells(db: Database) -> None:
        from engine.store.settings import settings_of

        # settings: equal for runs that differ in seed only. checksum: of the data, once started.
        db.execute("ALTER TABLE runs ADD COLUMN settings TEXT")
        db.execute("ALTER TABLE runs ADD COLUMN checksum TEXT")
        db.conn.create_function("settings_of", 1, settings_of, deterministic=True)
        db.execute(
            "UPDATE runs SET settings = (SELECT settings_of(spec) FROM specs WHERE run = runs.id),"  # noqa: S608
            f" checksum = {CHECKSUM}"
        )
        db.execute(
            "CREATE INDEX runs_grouped ON runs"
            " (state, model, dataset, length, profile, settings, checksum, seed, id)"
        )
        db.execute("PRAGMA user_version = 3")

    @steps()
    def counts(db: Database) -> None:
        # An open app asks after every change: counting very many runs would keep it busy.
        db.execute(
            "CREATE TABLE counts (state TEXT PRIMARY KEY, runs INTEGER NOT NULL) WITHOUT ROWID"
        )
        db.execute("INSERT INTO counts SELECT state, count(*) FROM runs GROUP BY state")
        gone = "UPDATE counts SET runs = runs - 1 WHERE state = OLD.state;"
        come = (
            "INSERT INTO counts VALUES (NEW.state, 1)"
            " ON CONFLICT (state) DO UPDATE SET runs = runs + 1;"
        )
        for event, change in (
            ("INSERT", come),
            ("DELETE", gone),
            ("UPDATE OF state", gone + come),
        ):
            name = event.partition(" ")[0].lower()
            db.execute(f"CREATE TRIGGER runs_count_{name} AFTER {event} ON runs BEGIN {change} END")
        db.execute("PRAGMA user_version = 4")

    @steps()
    def speeds(db: Database) -> None:
        # Known only of runs whose journal's end tells them.
        for table in ("runs", "attempts"):
            for name in SPEEDS:
                db.execute(f"ALTER TABLE {table} ADD COLUMN {name} REAL")
        for name in SPEEDS:  # comparisons are sorted by them
            db.execute(f"CREATE INDEX runs_{name} ON runs ({name}, id)")
        db.execute("PRAGMA user_version = 5")

    @steps()
    def origin_and_marks(db: Database) -> None:
        # origin: how an imported run came; empty for our own. marks: words of engine.marks with
        # blanks between, NULL where nothing was there that could tell.
        db.execute("ALTER TABLE runs ADD COLUMN origin TEXT NOT NULL DEFAULT ''")
        db.execute("ALTER TABLE runs ADD COLUMN marks TEXT")
        for name in ("gpu_others", "gpu_throttle"):
            db.execute(f"ALTER TABLE telemetry ADD COLUMN {name} REAL")
        db.execute("DROP INDEX runs_cells")
        db.execute(
            "CREATE INDEX runs_cells ON runs"
            " (model, dataset, length, state, best_test_ndcg, origin)"
        )
        db.execute("DROP INDEX runs_grouped")
        db.execute(
            "CREATE INDEX runs_grouped ON runs"
            " (state, model, dataset, length, profile, settings, checksum, seed, id, origin)"
        )
        db.execute("PRAGMA user_version = 6")

    @steps()
    def launchers_and_jobs(db: Database) -> None:
        # launcher: NULL is the machine of the supervisor. job…: what a cluster's scheduler said
        # last of an attempt's job, in its own word and in plain ones, and since when it couldn't
        # be asked.
        db.execute("ALTER TABLE runs ADD COLUMN launcher TEXT")
        db.execute("CREATE INDEX runs_launcher ON runs (state, launcher, position)")
        for name in ("job", "partition", "node", "job_state", "job_words"):
            db.execute(f"ALTER TABLE attempts ADD COLUMN {name} TEXT")
        db.execute("ALTER TABLE attempts ADD COLUMN job_stale REAL")
        db.execute("PRAGMA user_version = 7")

    return steps


def _first_tables() -> list[str]:
    measures = ", ".join(f"{name} REAL" for name in EPOCH_MEASURES)
    telemetry = ", ".join(f"{name} REAL" for name in _FIRST_TELEMETRY)
    summaries = ", ".join(f"{name} REAL" for name in SUMMARY_MEASURES)
    states = "'queued', 'running', 'done', 'failed', 'cancelled', 'lost', 'paused'"
    kept = ("note", "tags", "position", "state", "attempt", "losses", "finished")
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in kept)
    return [
        # epoch_seconds: training and evaluation, mean over the newest epochs.
        # best_…: of the run's summary, here as well so that queue and cells need no join.
        # losses: how often the run's process vanished since it was last asked for.
        # revision, saved: what was changed of meta.json's content, and what of it is on the disk.
        f"""CREATE TABLE runs (
            id TEXT PRIMARY KEY, model TEXT NOT NULL, dataset TEXT NOT NULL,
            length INTEGER NOT NULL, seed INTEGER NOT NULL, profile TEXT NOT NULL, suite TEXT,
            fingerprint TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ({states})),
            position INTEGER NOT NULL, created REAL NOT NULL, started REAL, finished REAL,
            attempt INTEGER NOT NULL DEFAULT 1, losses INTEGER NOT NULL DEFAULT 0, device TEXT,
            epoch INTEGER, epochs INTEGER, step INTEGER, epoch_step INTEGER,
            steps_per_epoch INTEGER, epoch_seconds REAL, best_epoch INTEGER,
            best_valid_ndcg REAL, best_test_ndcg REAL, parameters INTEGER, cause TEXT, message TEXT,
            note TEXT NOT NULL DEFAULT '', tags TEXT NOT NULL DEFAULT '[]',
            revision INTEGER NOT NULL DEFAULT 1, saved INTEGER NOT NULL DEFAULT 0)""",
        "CREATE INDEX runs_queue ON runs (state, position)",
        "CREATE INDEX runs_ended ON runs (finished DESC, id) WHERE finished IS NOT NULL",
        "CREATE INDEX runs_created ON runs (created, id)",
        "CREATE INDEX runs_cells ON runs (model, dataset, length, state, best_test_ndcg)",
        "CREATE INDEX runs_fingerprint ON runs (state, fingerprint)",
        *(
            f"CREATE INDEX runs_{name} ON runs ({name}, id)"
            for name in ("model", "dataset", "length", "seed", "parameters")
        ),
        "CREATE INDEX runs_unsaved ON runs (id) WHERE revision > saved",
        f"""CREATE TRIGGER runs_revision AFTER UPDATE OF {", ".join(kept)} ON runs
            WHEN {changed}
            BEGIN UPDATE runs SET revision = OLD.revision + 1 WHERE id = NEW.id; END""",  # noqa: S608
        # Apart from runs, so that a scan of runs reads little.
        "CREATE TABLE specs (run TEXT PRIMARY KEY, spec TEXT NOT NULL) WITHOUT ROWID",
        f"""CREATE TABLE epochs (
            run TEXT NOT NULL, epoch INTEGER NOT NULL, attempt INTEGER NOT NULL,
            seq INTEGER NOT NULL, t REAL NOT NULL, step INTEGER, targets INTEGER, batches INTEGER,
            {measures}, PRIMARY KEY (run, epoch)) WITHOUT ROWID""",
        """CREATE TABLE steps (
            run TEXT NOT NULL, attempt INTEGER NOT NULL, seq INTEGER NOT NULL, t REAL NOT NULL,
            step INTEGER NOT NULL, epoch INTEGER NOT NULL, loss REAL, grad_norm REAL, lr REAL,
            PRIMARY KEY (run, attempt, seq)) WITHOUT ROWID""",
        f"""CREATE TABLE telemetry (
            run TEXT NOT NULL, attempt INTEGER NOT NULL, seq INTEGER NOT NULL, t REAL NOT NULL,
            {telemetry}, PRIMARY KEY (run, attempt, seq)) WITHOUT ROWID""",
        "CREATE INDEX telemetry_time ON telemetry (run, t)",
        """CREATE TABLE events (
            run TEXT NOT NULL, attempt INTEGER NOT NULL, seq INTEGER NOT NULL, t REAL NOT NULL,
            kind TEXT NOT NULL, fields TEXT NOT NULL,
            PRIMARY KEY (run, attempt, seq)) WITHOUT ROWID""",
        # launched, exited: when the supervisor started the process, and saw it gone.
        # started, ended: first line of the journal, and the end as the journal (or, where it has
        # none, the supervisor) tells it.
        """CREATE TABLE attempts (
            run TEXT NOT NULL, attempt INTEGER NOT NULL, slot TEXT, launched REAL, pid INTEGER,
            boot_id TEXT, start_ticks INTEGER, host TEXT, status TEXT NOT NULL, started REAL,
            ended REAL, exited REAL, last_growth REAL, offset INTEGER NOT NULL DEFAULT 0,
            device TEXT, device_kind TEXT, dtype TEXT, threads INTEGER, epochs INTEGER,
            steps_per_epoch INTEGER, parameters INTEGER, resumed_epoch INTEGER, epoch INTEGER,
            step INTEGER, cause TEXT, message TEXT, PRIMARY KEY (run, attempt)) WITHOUT ROWID""",
        "CREATE INDEX attempts_live ON attempts (run, attempt) WHERE exited IS NULL",
        f"""CREATE TABLE summaries (
            run TEXT PRIMARY KEY, best_epoch INTEGER, epochs_trained INTEGER, total_seconds REAL,
            {summaries}) WITHOUT ROWID""",
        *(
            f"CREATE INDEX summaries_{name} ON summaries ({name}, run)"
            for name in INDEXED_SUMMARIES
        ),
        *(
            f"CREATE INDEX summaries_{how} ON summaries "
            f"(run, {', '.join(f'{measure}_{how}' for measure in EPOCH_MEASURES)})"
            for how in AGGREGATES
        ),
        """CREATE INDEX summaries_totals ON summaries
            (run, best_epoch, epochs_trained, total_seconds)""",
        """CREATE TABLE requests (
            id INTEGER PRIMARY KEY, action TEXT NOT NULL, run TEXT NOT NULL,
            created REAL NOT NULL)""",
        """CREATE TABLE warnings (
            run TEXT NOT NULL, attempt INTEGER NOT NULL, offset INTEGER NOT NULL,
            problem TEXT NOT NULL, PRIMARY KEY (run, attempt, offset, problem)) WITHOUT ROWID""",
        """CREATE TABLE supervisor (
            id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER NOT NULL, host TEXT NOT NULL,
            started REAL NOT NULL, heartbeat REAL NOT NULL, slots TEXT NOT NULL)""",
    ]
