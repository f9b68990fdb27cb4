"""How ``runs.db`` came to its tables, step by step. ``sqlite_utils`` makes the steps.

A step that was released is never changed, and says in so many words what it makes: nothing of it
comes from a constant that may change. `engine.store.schema` names what they come to.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from sqlite_utils import Database, Migrations

from engine.progress import OnProgress, counted, untold
from engine.spec import settings_digest
from engine.spec.settings import Scalar, stored_settings
from engine.store.intake.results import results_of_folder
from engine.store.location import StoreLocation

_FIRST_TABLES = Path(__file__).with_name("first_tables.sql")


def migrations(on_progress: OnProgress = untold) -> Migrations:
    """All migrations, oldest first. Once released, one is never changed: add another.

    Args:
        on_progress: told of how many finished runs the results are computed.
    """
    steps = Migrations("seqbench")

    @steps()
    def first_tables(db: Database) -> None:
        for statement in _FIRST_TABLES.read_text(encoding="utf-8").split(";\n"):
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
        # settings: equal for runs that differ in seed only, filled by `settings_anew`.
        # checksum: of the data, once started.
        db.execute("ALTER TABLE runs ADD COLUMN settings TEXT")
        db.execute("ALTER TABLE runs ADD COLUMN checksum TEXT")
        db.execute(
            "UPDATE runs SET checksum = (SELECT CASE WHEN json_valid(fields)"
            " THEN json_extract(fields, '$.checksum') END FROM events"
            " WHERE run = runs.id AND kind = 'start' ORDER BY attempt DESC, seq DESC LIMIT 1)"
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
            for name in ("users_per_second_1", "users_per_second_256"):
                db.execute(f"ALTER TABLE {table} ADD COLUMN {name} REAL")
        # Comparisons are sorted by them.
        for name in ("users_per_second_1", "users_per_second_256"):
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

    @steps()
    def settings_anew(db: Database) -> None:
        # settings counted defaults, and neither filter nor split nor columns, before. '': of no
        # specification that can be read. cell_runs: what figures over seeds are made of.
        db.execute("DROP INDEX runs_grouped")
        db.conn.create_function("settings_of", 1, _settings_of, deterministic=True)
        db.execute(
            "UPDATE runs SET settings = ifnull("
            "(SELECT settings_of(spec) FROM specs WHERE run = runs.id), '')"
        )
        db.execute(
            "CREATE INDEX runs_grouped ON runs (state, model, dataset, length, profile, settings,"
            " checksum, seed, id, origin)"
        )
        db.execute(
            "CREATE VIEW cell_runs AS SELECT * FROM runs WHERE state = 'done'"
            " AND id NOT IN (SELECT run FROM requests WHERE action = 'delete')"
        )
        db.execute("PRAGMA user_version = 8")

    @steps()
    def data_of_attempts(db: Database) -> None:
        # checksum: of the data that an attempt trained on. confirmed: whether they were the known
        # ones; NULL where nothing told. An attempt that went on from a checkpoint of other data
        # isn't possible any more: runs with one are marked.
        db.execute("ALTER TABLE attempts ADD COLUMN checksum TEXT")
        db.execute("ALTER TABLE attempts ADD COLUMN confirmed INTEGER")
        db.execute(
            "UPDATE attempts SET checksum = (SELECT CASE WHEN json_valid(fields)"
            " THEN json_extract(fields, '$.checksum') END FROM events"
            " WHERE run = attempts.run AND attempt = attempts.attempt AND kind = 'start'"
            " ORDER BY seq DESC LIMIT 1)"
        )
        db.execute(
            "UPDATE runs SET marks = trim(ifnull(marks, '') || ' changed-data')"
            " WHERE (SELECT count(DISTINCT checksum) FROM attempts WHERE run = runs.id"
            " AND resumed_epoch IS NOT NULL AND attempt >= (SELECT ifnull(max(attempt), 0)"
            " FROM attempts WHERE run = runs.id AND resumed_epoch = 0)) > 1"
        )
        db.execute("CREATE INDEX runs_marked ON runs (marks, id) WHERE marks > ''")
        db.execute("PRAGMA user_version = 9")

    @steps()
    def unfinished_training(db: Database) -> None:
        # A run whose best epoch is the last one that its limit allowed is marked.
        db.execute(
            "UPDATE runs SET marks = trim(ifnull(marks, '') || ' still-improving')"
            " WHERE state = 'done' AND origin = '' AND best_epoch = epochs"
        )
        db.execute("PRAGMA user_version = 10")

    @steps()
    def times_of_the_model(db: Database) -> None:
        # cpu_seconds: processor time of an epoch's training, of all threads. cpu_wait_seconds: that
        # they were ready and no core was free. NULL where nothing told. …_median: over epochs.
        for name in ("cpu_seconds", "cpu_wait_seconds"):
            db.execute(f"ALTER TABLE epochs ADD COLUMN {name} REAL")
            for how in ("best", "max", "min", "mean", "last"):
                db.execute(f"ALTER TABLE summaries ADD COLUMN {name}_{how} REAL")
        # speed_cpu_share: what it had of the processor while its speed was measured, 0 to 1.
        db.execute("ALTER TABLE attempts ADD COLUMN speed_cpu_share REAL")
        times = ("train_seconds", "eval_seconds", "cpu_seconds", "cpu_wait_seconds")
        for name in times:
            db.execute(f"ALTER TABLE summaries ADD COLUMN {name}_median REAL")
        median = (
            "TIME_median = (SELECT avg(value) FROM (SELECT TIME AS value, row_number() OVER"
            " (ORDER BY TIME) AS place, count(*) OVER () AS known FROM epochs"
            " WHERE run = summaries.run AND TIME IS NOT NULL)"
            " WHERE place IN ((known + 1) / 2, (known + 2) / 2))"
        )
        known = ("train_seconds", "eval_seconds")
        medians = ", ".join(median.replace("TIME", name) for name in known)
        db.execute(f"UPDATE summaries SET {medians}")  # noqa: S608
        # What is shown of a time is sorted by, under every aggregate.
        db.execute("DROP INDEX summaries_train_seconds_mean")
        for name in times:
            if name != "cpu_wait_seconds":
                db.execute(
                    f"CREATE INDEX summaries_{name}_median ON summaries ({name}_median, run)"
                )
        columns = ", ".join(f"{name}_median" for name in times)
        db.execute(f"CREATE INDEX summaries_median ON summaries (run, {columns})")
        # The other aggregates of the new measures are shown nowhere.
        (made,) = db.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'summaries_max'"
        ).fetchone()
        db.execute("DROP INDEX summaries_max")
        db.execute(f"{made.removesuffix(')')}, cpu_seconds_max, cpu_wait_seconds_max)")
        db.execute("PRAGMA user_version = 11")

    @steps()
    def telemetry_of_each_gpu(db: Database) -> None:
        # gpu: which of the run's GPUs a row is of, from 1 on; NULL for the first, whose row has the
        # host's figures too, and where there is none.
        db.execute("ALTER TABLE telemetry ADD COLUMN gpu INTEGER")
        db.execute("PRAGMA user_version = 12")

    @steps()
    def settings(db: Database) -> None:
        # configuration: stands for all settings of a run but model, data, length and seed; NULL of
        # imported runs and of what can't be read. value: a number or a text.
        db.execute(
            "CREATE TABLE settings (configuration INTEGER NOT NULL, name TEXT NOT NULL,"
            " value NOT NULL, PRIMARY KEY (configuration, name)) WITHOUT ROWID"
        )
        db.execute("CREATE INDEX settings_value ON settings (name, value, configuration)")
        db.execute("ALTER TABLE runs ADD COLUMN configuration INTEGER")
        found: dict[int, dict[str, Scalar]] = {}
        db.conn.create_function(
            "configuration_of", 1, partial(_configuration_of, found=found), deterministic=True
        )
        db.execute(
            "UPDATE runs SET configuration ="
            " (SELECT configuration_of(spec) FROM specs WHERE run = runs.id)"
        )
        db.conn.executemany(
            "INSERT INTO settings VALUES (?, ?, ?)",
            [(key, *each) for key, values in found.items() for each in values.items()],
        )
        db.execute("CREATE INDEX runs_configuration ON runs (configuration, id)")
        db.execute("PRAGMA user_version = 13")

    @steps()
    def settings_of_epochs(db: Database) -> None:
        # settings: JSON, those that a fitted model tried in an epoch; NULL of other models. Of a
        # fitted model loss, loss_sum, grad_norm and lr are NULL.
        db.execute("ALTER TABLE epochs ADD COLUMN settings TEXT")
        db.execute("PRAGMA user_version = 14")

    @steps()
    def results(db: Database) -> None:
        # test_…: of a finished run's chosen epoch, from its ranks and its recommended lists; of
        # runs of earlier versions those that follow from the ranks alone.
        cutoffs = (1, 5, 10, 20, 50, 100)
        ranks = [
            *(
                f"test_{metric}{ranking}_at_{k}"
                for ranking in ("", "_masked")
                for k in cutoffs
                if k != 10
                for metric in ("ndcg", "recall", "mrr")
            ),
            *(
                f"test_{metric}{ranking}_{scope}"
                for ranking in ("", "_masked")
                for scope in ("warm", "head", "mid", "tail")
                for metric in ("ndcg", "recall")
            ),
        ]
        lists = [
            f"test_{measure}{ranking}_at_{k}"
            for ranking in ("", "_masked")
            for k in cutoffs
            for measure in ("coverage", "arp", "novelty", "gini")
        ]
        for name in (*ranks, *lists):
            db.execute(f"ALTER TABLE summaries ADD COLUMN {name} REAL")
        (path,) = db.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
        location = StoreLocation(Path(path))
        done = db.execute("SELECT id FROM runs WHERE state = 'done' AND origin = ''").fetchall()
        for (run,) in counted([tuple(row) for row in done], on_progress):
            found = results_of_folder(location.folder(run))
            known = {name: found[name] for name in ranks if name in found}
            if known:
                values = ", ".join(f"{name} = :{name}" for name in known)
                sql = f"UPDATE summaries SET {values} WHERE run = :run"  # noqa: S608
                db.execute(sql, known | {"run": run})
        db.execute(f"CREATE INDEX summaries_ranks ON summaries (run, {', '.join(ranks)})")
        db.execute(f"CREATE INDEX summaries_lists ON summaries (run, {', '.join(lists)})")
        db.execute("PRAGMA user_version = 15")

    @steps()
    def energy(db: Database) -> None:
        # gpu_joules, cpu_joules: energy of an epoch's training; NULL where nothing told. Of a run
        # joules: in all, joules_to_best: up to the end of the chosen epoch, joules_per_epoch: the
        # median, joules_of: what is in these, by engine.store.costs.energy.
        for name in ("gpu_joules", "cpu_joules"):
            db.execute(f"ALTER TABLE epochs ADD COLUMN {name} REAL")
            for how in ("best", "max", "min", "mean", "last"):
                db.execute(f"ALTER TABLE summaries ADD COLUMN {name}_{how} REAL")
        totals = ("joules_per_epoch", "joules_to_best", "joules")
        for name in totals:
            db.execute(f"ALTER TABLE summaries ADD COLUMN {name} REAL")
            db.execute(f"CREATE INDEX summaries_{name} ON summaries ({name}, run)")
        db.execute("ALTER TABLE summaries ADD COLUMN joules_of TEXT")
        db.execute("DROP INDEX summaries_totals")
        db.execute(
            "CREATE INDEX summaries_totals ON summaries (run, best_epoch, epochs_trained,"
            f" total_seconds, {', '.join(totals)}, joules_of)"
        )
        db.execute("PRAGMA user_version = 16")

    @steps()
    def refits(db: Database) -> None:
        # refits: the run whose chosen epoch a run trains to, with validation included; before that
        # one is done, it waits. NULL of other runs, which all were until now.
        db.execute("ALTER TABLE runs ADD COLUMN refits TEXT")
        db.execute("PRAGMA user_version = 17")

    @steps()
    def evaluations(db: Database) -> None:
        # What finished runs reach under other rules of targets than their own. content: JSON, the
        # file of the run's folder.
        db.execute(
            "CREATE TABLE evaluations (run TEXT NOT NULL, rule TEXT NOT NULL,"
            " content TEXT NOT NULL, PRIMARY KEY (run, rule)) WITHOUT ROWID"
        )
        db.execute("PRAGMA user_version = 18")

    @steps()
    def resident_workers(db: Database) -> None:
        # worker: the resident worker that trains an attempt, NULL of one with a process of its own.
        db.execute("ALTER TABLE attempts ADD COLUMN worker TEXT")
        db.execute("PRAGMA user_version = 19")

    @steps()
    def studies(db: Database) -> None:
        # study, trial: of a trial of a study the study's name and its number there, NULL of other
        # runs, which all were until now. study_end: NULL while the study makes trials; stopped: it
        # makes no further one; over: what it chose was queued. tuned_trials, tuned_seconds: the
        # budget that a run's settings were chosen with, NULL where no study chose them. held: 1 of
        # a trial that is queued and paused, else NULL.
        db.execute("ALTER TABLE runs ADD COLUMN study TEXT")
        db.execute("ALTER TABLE runs ADD COLUMN trial INTEGER")
        db.execute("ALTER TABLE runs ADD COLUMN study_end TEXT")
        db.execute("ALTER TABLE runs ADD COLUMN held INTEGER")
        db.execute("ALTER TABLE runs ADD COLUMN tuned_trials INTEGER")
        db.execute("ALTER TABLE runs ADD COLUMN tuned_seconds REAL")
        db.execute("CREATE INDEX runs_study ON runs (study, trial, id) WHERE study IS NOT NULL")
        db.execute("DROP INDEX runs_cells")
        db.execute(
            "CREATE INDEX runs_cells ON runs"
            " (model, dataset, length, state, best_test_ndcg, origin, study)"
        )
        db.execute(
            "CREATE TRIGGER runs_of_study AFTER UPDATE OF study_end, held ON runs"
            " WHEN OLD.study_end IS NOT NEW.study_end OR OLD.held IS NOT NEW.held"
            " BEGIN UPDATE runs SET revision = OLD.revision + 1 WHERE id = NEW.id; END"
        )
        db.execute("PRAGMA user_version = 20")

    return steps


def _settings_of(text: str) -> str | None:
    """`engine.spec.settings_digest` of a specification's text; None of what isn't one."""
    try:
        content = json.loads(text)
        return settings_digest(content) if isinstance(content, dict) and content else None
    except (ValueError, TypeError, RecursionError):
        return None


def _configuration_of(text: str, found: dict[int, dict[str, Scalar]]) -> int | None:
    """Put the settings of a specification's text into ``found`` and return their number; None of
    what isn't one."""
    try:
        content = json.loads(text)
        kept = stored_settings(content) if isinstance(content, dict) and content else None
    except (ValueError, TypeError, RecursionError):
        return None
    if kept is None:
        return None
    found[kept[0]] = kept[1]
    return kept[0]
