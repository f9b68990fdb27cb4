"""The names of metrics and measures, shared by training, store, command line and screens."""

from __future__ import annotations

from itertools import product

SPLITS = ("valid", "test")
METRICS = ("hit", "recall", "mrr", "ndcg")
RANKINGS = ("", "_masked")
"""Suffixes of the two rankings: over all items, and with the user's seen items masked."""

METRIC_COLUMNS = tuple(
    f"{split}_{metric}{ranking}" for split, ranking, metric in product(SPLITS, RANKINGS, METRICS)
)
"""The sixteen metrics at 10 of an epoch: ``valid_hit`` … ``test_ndcg_masked``."""

EPOCH_MEASURES = (
    "loss",  # mean cross-entropy per target, nats
    "loss_sum",  # the reference's sum over batches of 128 samples of the batch mean
    "grad_norm",  # mean over the epoch's updates, before clipping
    "lr",
    "train_seconds",
    "eval_seconds",
    "gpu_memory_mib",  # null without a GPU
    "gpu_utilization",  # per cent, mean over the epoch; null without a GPU
    *METRIC_COLUMNS,
    "cpu_seconds",  # CPU time of training, of all threads; null for runs of earlier versions
    "cpu_wait_seconds",  # that these threads were ready while no core was free; null if unknown
)
"""Numeric columns of an epoch, in the table ``epochs``."""

EPOCH_TIMES = ("train_seconds", "eval_seconds", "cpu_seconds", "cpu_wait_seconds")
"""Measures of an epoch that are times. A time is a property of the model: no epoch is chosen for
it."""

AGGREGATES = ("best", "max", "min", "mean", "last")
"""How a run's epochs are summarised; ``best`` takes the epoch with the best `SELECTION`."""


def summary_of(measure: str, aggregate: str) -> str:
    """Name the column of ``summaries`` that is shown of a measure of epochs under an aggregate.

    Of a time it is the median over epochs, which neither a first epoch with its warm-up nor a
    disturbed one moves, and the maximum under ``max``, as in the reference table.
    """
    if measure in EPOCH_TIMES and aggregate != "max":
        return f"{measure}_median"
    return f"{measure}_{aggregate}"


def measure_of(column: str) -> str | None:
    """Return the measure of epochs that a column of ``summaries`` is of; ``None`` if of none."""
    measure, _, how = column.rpartition("_")
    return measure if how in (*AGGREGATES, "median") and measure in EPOCH_MEASURES else None


SELECTION = "valid_ndcg"
"""The metric that chooses a run's best epoch, and by which training stops early."""

SPEEDS = ("users_per_second_1", "users_per_second_256")
"""A run's inference speeds: users per second, at batch sizes 1 and 256."""

REFERENCE_COLUMNS = {
    "EpochTime": "train_seconds",
    "GPU/Memory(MiB)": "gpu_memory_mib",
    "GPU/Utilization(%)": "gpu_utilization",
    "GradientNorm": "grad_norm",
    "HitRate@10/test": "test_hit",
    "LearningRate": "lr",
    "Loss/train": "loss_sum",
    "Model/TotalParams": "parameters",
    "MRR@10/test": "test_mrr",
    "NDCG@10/test": "test_ndcg",
    "Recall@10/test": "test_recall",
    "Total Epoch Trained": "epochs_trained",
}
"""The twelve columns of the reference table, in its order, and our measure for each."""
