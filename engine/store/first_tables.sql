-- The tables of version 1, released: never changed, whatever the code names today.
-- epoch_seconds: training and evaluation, mean over the newest epochs.
-- best_…: of the run's summary, here as well so that queue and cells need no join.
-- losses: how often the run's process vanished since it was last asked for.
-- revision, saved: what was changed of meta.json's content, and what of it is on the disk.
CREATE TABLE runs (id TEXT PRIMARY KEY, model TEXT NOT NULL, dataset TEXT NOT NULL, length INTEGER
    NOT NULL, seed INTEGER NOT NULL, profile TEXT NOT NULL, suite TEXT, fingerprint TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled',
    'lost', 'paused')), position INTEGER NOT NULL, created REAL NOT NULL, started REAL, finished
    REAL, attempt INTEGER NOT NULL DEFAULT 1, losses INTEGER NOT NULL DEFAULT 0, device TEXT, epoch
    INTEGER, epochs INTEGER, step INTEGER, epoch_step INTEGER, steps_per_epoch INTEGER,
    epoch_seconds REAL, best_epoch INTEGER, best_valid_ndcg REAL, best_test_ndcg REAL, parameters
    INTEGER, cause TEXT, message TEXT, note TEXT NOT NULL DEFAULT '', tags TEXT NOT NULL DEFAULT
    '[]', revision INTEGER NOT NULL DEFAULT 1, saved INTEGER NOT NULL DEFAULT 0);
CREATE INDEX runs_queue ON runs (state, position);
CREATE INDEX runs_ended ON runs (finished DESC, id) WHERE finished IS NOT NULL;
CREATE INDEX runs_created ON runs (created, id);
CREATE INDEX runs_cells ON runs (model, dataset, length, state, best_test_ndcg);
CREATE INDEX runs_fingerprint ON runs (state, fingerprint);
CREATE INDEX runs_model ON runs (model, id);
CREATE INDEX runs_dataset ON runs (dataset, id);
CREATE INDEX runs_length ON runs (length, id);
CREATE INDEX runs_seed ON runs (seed, id);
CREATE INDEX runs_parameters ON runs (parameters, id);
CREATE INDEX runs_unsaved ON runs (id) WHERE revision > saved;
CREATE TRIGGER runs_revision AFTER UPDATE OF note, tags, position, state, attempt, losses, finished
    ON runs WHEN OLD.note IS NOT NEW.note OR OLD.tags IS NOT NEW.tags OR OLD.position IS NOT
    NEW.position OR OLD.state IS NOT NEW.state OR OLD.attempt IS NOT NEW.attempt OR OLD.losses IS
    NOT NEW.losses OR OLD.finished IS NOT NEW.finished BEGIN UPDATE runs SET revision =
    OLD.revision + 1 WHERE id = NEW.id; END;
-- Apart from runs, so that a scan of runs reads little.
CREATE TABLE specs (run TEXT PRIMARY KEY, spec TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE epochs (run TEXT NOT NULL, epoch INTEGER NOT NULL, attempt INTEGER NOT NULL, seq
    INTEGER NOT NULL, t REAL NOT NULL, step INTEGER, targets INTEGER, batches INTEGER, loss REAL,
    loss_sum REAL, grad_norm REAL, lr REAL, train_seconds REAL, eval_seconds REAL, gpu_memory_mib
    REAL, gpu_utilization REAL, valid_hit REAL, valid_recall REAL, valid_mrr REAL, valid_ndcg REAL,
    valid_hit_masked REAL, valid_recall_masked REAL, valid_mrr_masked REAL, valid_ndcg_masked REAL,
    test_hit REAL, test_recall REAL, test_mrr REAL, test_ndcg REAL, test_hit_masked REAL,
    test_recall_masked REAL, test_mrr_masked REAL, test_ndcg_masked REAL, PRIMARY KEY (run, epoch))
    WITHOUT ROWID;
CREATE TABLE steps (run TEXT NOT NULL, attempt INTEGER NOT NULL, seq INTEGER NOT NULL, t REAL NOT
    NULL, step INTEGER NOT NULL, epoch INTEGER NOT NULL, loss REAL, grad_norm REAL, lr REAL,
    PRIMARY KEY (run, attempt, seq)) WITHOUT ROWID;
CREATE TABLE telemetry (run TEXT NOT NULL, attempt INTEGER NOT NULL, seq INTEGER NOT NULL, t REAL
    NOT NULL, gpu_utilization REAL, gpu_memory_mib REAL, gpu_memory_total_mib REAL, gpu_power_w
    REAL, gpu_temperature_c REAL, process_gpu_memory_mib REAL, cpu_percent REAL, memory_used_mib
    REAL, memory_total_mib REAL, process_cpu_percent REAL, process_memory_mib REAL, PRIMARY KEY
    (run, attempt, seq)) WITHOUT ROWID;
CREATE INDEX telemetry_time ON telemetry (run, t);
CREATE TABLE events (run TEXT NOT NULL, attempt INTEGER NOT NULL, seq INTEGER NOT NULL, t REAL NOT
    NULL, kind TEXT NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (run, attempt, seq)) WITHOUT ROWID;
-- launched, exited: when the supervisor started the process, and saw it gone.
-- started, ended: first line of the journal, and the end as the journal (or, where it has none, the
-- supervisor) tells it.
CREATE TABLE attempts (run TEXT NOT NULL, attempt INTEGER NOT NULL, slot TEXT, launched REAL, pid
    INTEGER, boot_id TEXT, start_ticks INTEGER, host TEXT, status TEXT NOT NULL, started REAL,
    ended REAL, exited REAL, last_growth REAL, offset INTEGER NOT NULL DEFAULT 0, device TEXT,
    device_kind TEXT, dtype TEXT, threads INTEGER, epochs INTEGER, steps_per_epoch INTEGER,
    parameters INTEGER, resumed_epoch INTEGER, epoch INTEGER, step INTEGER, cause TEXT, message
    TEXT, PRIMARY KEY (run, attempt)) WITHOUT ROWID;
CREATE INDEX attempts_live ON attempts (run, attempt) WHERE exited IS NULL;
CREATE TABLE summaries (run TEXT PRIMARY KEY, best_epoch INTEGER, epochs_trained INTEGER,
    total_seconds REAL, loss_best REAL, loss_max REAL, loss_min REAL, loss_mean REAL, loss_last
    REAL, loss_sum_best REAL, loss_sum_max REAL, loss_sum_min REAL, loss_sum_mean REAL,
    loss_sum_last REAL, grad_norm_best REAL, grad_norm_max REAL, grad_norm_min REAL, grad_norm_mean
    REAL, grad_norm_last REAL, lr_best REAL, lr_max REAL, lr_min REAL, lr_mean REAL, lr_last REAL,
    train_seconds_best REAL, train_seconds_max REAL, train_seconds_min REAL, train_seconds_mean
    REAL, train_seconds_last REAL, eval_seconds_best REAL, eval_seconds_max REAL, eval_seconds_min
    REAL, eval_seconds_mean REAL, eval_seconds_last REAL, gpu_memory_mib_best REAL,
    gpu_memory_mib_max REAL, gpu_memory_mib_min REAL, gpu_memory_mib_mean REAL, gpu_memory_mib_last
    REAL, gpu_utilization_best REAL, gpu_utilization_max REAL, gpu_utilization_min REAL,
    gpu_utilization_mean REAL, gpu_utilization_last REAL, valid_hit_best REAL, valid_hit_max REAL,
    valid_hit_min REAL, valid_hit_mean REAL, valid_hit_last REAL, valid_recall_best REAL,
    valid_recall_max REAL, valid_recall_min REAL, valid_recall_mean REAL, valid_recall_last REAL,
    valid_mrr_best REAL, valid_mrr_max REAL, valid_mrr_min REAL, valid_mrr_mean REAL,
    valid_mrr_last REAL, valid_ndcg_best REAL, valid_ndcg_max REAL, valid_ndcg_min REAL,
    valid_ndcg_mean REAL, valid_ndcg_last REAL, valid_hit_masked_best REAL, valid_hit_masked_max
    REAL, valid_hit_masked_min REAL, valid_hit_masked_mean REAL, valid_hit_masked_last REAL,
    valid_recall_masked_best REAL, valid_recall_masked_max REAL, valid_recall_masked_min REAL,
    valid_recall_masked_mean REAL, valid_recall_masked_last REAL, valid_mrr_masked_best REAL,
    valid_mrr_masked_max REAL, valid_mrr_masked_min REAL, valid_mrr_masked_mean REAL,
    valid_mrr_masked_last REAL, valid_ndcg_masked_best REAL, valid_ndcg_masked_max REAL,
    valid_ndcg_masked_min REAL, valid_ndcg_masked_mean REAL, valid_ndcg_masked_last REAL,
    test_hit_best REAL, test_hit_max REAL, test_hit_min REAL, test_hit_mean REAL, test_hit_last
    REAL, test_recall_best REAL, test_recall_max REAL, test_recall_min REAL, test_recall_mean REAL,
    test_recall_last REAL, test_mrr_best REAL, test_mrr_max REAL, test_mrr_min REAL, test_mrr_mean
    REAL, test_mrr_last REAL, test_ndcg_best REAL, test_ndcg_max REAL, test_ndcg_min REAL,
    test_ndcg_mean REAL, test_ndcg_last REAL, test_hit_masked_best REAL, test_hit_masked_max REAL,
    test_hit_masked_min REAL, test_hit_masked_mean REAL, test_hit_masked_last REAL,
    test_recall_masked_best REAL, test_recall_masked_max REAL, test_recall_masked_min REAL,
    test_recall_masked_mean REAL, test_recall_masked_last REAL, test_mrr_masked_best REAL,
    test_mrr_masked_max REAL, test_mrr_masked_min REAL, test_mrr_masked_mean REAL,
    test_mrr_masked_last REAL, test_ndcg_masked_best REAL, test_ndcg_masked_max REAL,
    test_ndcg_masked_min REAL, test_ndcg_masked_mean REAL, test_ndcg_masked_last REAL) WITHOUT
    ROWID;
CREATE INDEX summaries_epochs_trained ON summaries (epochs_trained, run);
CREATE INDEX summaries_loss_last ON summaries (loss_last, run);
CREATE INDEX summaries_loss_sum_max ON summaries (loss_sum_max, run);
CREATE INDEX summaries_total_seconds ON summaries (total_seconds, run);
CREATE INDEX summaries_train_seconds_mean ON summaries (train_seconds_mean, run);
CREATE INDEX summaries_valid_recall_best ON summaries (valid_recall_best, run);
CREATE INDEX summaries_valid_recall_max ON summaries (valid_recall_max, run);
CREATE INDEX summaries_valid_ndcg_best ON summaries (valid_ndcg_best, run);
CREATE INDEX summaries_valid_ndcg_max ON summaries (valid_ndcg_max, run);
CREATE INDEX summaries_test_hit_best ON summaries (test_hit_best, run);
CREATE INDEX summaries_test_hit_max ON summaries (test_hit_max, run);
CREATE INDEX summaries_test_recall_best ON summaries (test_recall_best, run);
CREATE INDEX summaries_test_recall_max ON summaries (test_recall_max, run);
CREATE INDEX summaries_test_mrr_best ON summaries (test_mrr_best, run);
CREATE INDEX summaries_test_mrr_max ON summaries (test_mrr_max, run);
CREATE INDEX summaries_test_ndcg_best ON summaries (test_ndcg_best, run);
CREATE INDEX summaries_test_ndcg_max ON summaries (test_ndcg_max, run);
CREATE INDEX summaries_best ON summaries (run, loss_best, loss_sum_best, grad_norm_best, lr_best,
    train_seconds_best, eval_seconds_best, gpu_memory_mib_best, gpu_utilization_best,
    valid_hit_best, valid_recall_best, valid_mrr_best, valid_ndcg_best, valid_hit_masked_best,
    valid_recall_masked_best, valid_mrr_masked_best, valid_ndcg_masked_best, test_hit_best,
    test_recall_best, test_mrr_best, test_ndcg_best, test_hit_masked_best, test_recall_masked_best,
    test_mrr_masked_best, test_ndcg_masked_best);
CREATE INDEX summaries_max ON summaries (run, loss_max, loss_sum_max, grad_norm_max, lr_max,
    train_seconds_max, eval_seconds_max, gpu_memory_mib_max, gpu_utilization_max, valid_hit_max,
    valid_recall_max, valid_mrr_max, valid_ndcg_max, valid_hit_masked_max, valid_recall_masked_max,
    valid_mrr_masked_max, valid_ndcg_masked_max, test_hit_max, test_recall_max, test_mrr_max,
    test_ndcg_max, test_hit_masked_max, test_recall_masked_max, test_mrr_masked_max,
    test_ndcg_masked_max);
CREATE INDEX summaries_min ON summaries (run, loss_min, loss_sum_min, grad_norm_min, lr_min,
    train_seconds_min, eval_seconds_min, gpu_memory_mib_min, gpu_utilization_min, valid_hit_min,
    valid_recall_min, valid_mrr_min, valid_ndcg_min, valid_hit_masked_min, valid_recall_masked_min,
    valid_mrr_masked_min, valid_ndcg_masked_min, test_hit_min, test_recall_min, test_mrr_min,
    test_ndcg_min, test_hit_masked_min, test_recall_masked_min, test_mrr_masked_min,
    test_ndcg_masked_min);
CREATE INDEX summaries_mean ON summaries (run, loss_mean, loss_sum_mean, grad_norm_mean, lr_mean,
    train_seconds_mean, eval_seconds_mean, gpu_memory_mib_mean, gpu_utilization_mean,
    valid_hit_mean, valid_recall_mean, valid_mrr_mean, valid_ndcg_mean, valid_hit_masked_mean,
    valid_recall_masked_mean, valid_mrr_masked_mean, valid_ndcg_masked_mean, test_hit_mean,
    test_recall_mean, test_mrr_mean, test_ndcg_mean, test_hit_masked_mean, test_recall_masked_mean,
    test_mrr_masked_mean, test_ndcg_masked_mean);
CREATE INDEX summaries_last ON summaries (run, loss_last, loss_sum_last, grad_norm_last, lr_last,
    train_seconds_last, eval_seconds_last, gpu_memory_mib_last, gpu_utilization_last,
    valid_hit_last, valid_recall_last, valid_mrr_last, valid_ndcg_last, valid_hit_masked_last,
    valid_recall_masked_last, valid_mrr_masked_last, valid_ndcg_masked_last, test_hit_last,
    test_recall_last, test_mrr_last, test_ndcg_last, test_hit_masked_last, test_recall_masked_last,
    test_mrr_masked_last, test_ndcg_masked_last);
CREATE INDEX summaries_totals ON summaries (run, best_epoch, epochs_trained, total_seconds);
CREATE TABLE requests (id INTEGER PRIMARY KEY, action TEXT NOT NULL, run TEXT NOT NULL, created
    REAL NOT NULL);
CREATE TABLE warnings (run TEXT NOT NULL, attempt INTEGER NOT NULL, offset INTEGER NOT NULL,
    problem TEXT NOT NULL, PRIMARY KEY (run, attempt, offset, problem)) WITHOUT ROWID;
CREATE TABLE supervisor (id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER NOT NULL, host TEXT NOT
    NULL, started REAL NOT NULL, heartbeat REAL NOT NULL, slots TEXT NOT NULL);
