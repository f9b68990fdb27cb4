"""The names of metrics and measures, shared by training, store, command line and screens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
    "gpu_joules",  # energy of the run's GPUs in training; null where it isn't counted
    "cpu_joules",  # energy of the processors in training; null where it can't be read
)
"""Numeric columns of an epoch, in the table ``epochs``."""

EPOCH_TIMES = ("train_seconds", "eval_seconds", "cpu_seconds", "cpu_wait_seconds")
"""Measures of an epoch that are times. A time is a property of the model: no epoch is chosen for
it."""

EPOCH_ENERGY = ("gpu_joules", "cpu_joules")
"""Measures of an epoch that are energy, which other epochs of equal training needn't have."""

RUN_ENERGY = ("joules_per_epoch", "joules_to_best", "joules")
"""A run's energy of training, in joules: of an epoch (median), to the end of the chosen one, and in
all. Each has GPUs and processors in it as far as the energy of both is known of every epoch."""

CUTOFFS = (1, 5, 10, 20, 50, 100)
"""Ranks at which metrics are cut off; every epoch has them at 10 (`METRIC_COLUMNS`)."""

SCOPES = ("warm", "head", "mid", "tail")
"""Parts of the test targets: those whose item and user occur in training; and those whose item is
among the most popular tenth of all items, the next four tenths, or the other half."""

CUTOFF_METRICS = ("ndcg", "recall", "mrr")
"""Metrics at the other cut-offs; HitRate equals Recall."""
SCOPE_METRICS = ("ndcg", "recall")
LIST_MEASURES = ("coverage", "arp", "novelty", "gini")
"""What the recommended lists are like, whether or not they hold the target."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished run has, of its chosen epoch, beside the measures of epochs.

    Attributes:
        scope: one of `SCOPES`; empty for all test targets.
    """

    metric: str
    k: int = 10
    masked: bool = False
    scope: str = ""

    @property
    def name(self) -> str:
        """Its name in journals and in the store, such as ``test_ndcg_masked_at_20`` and
        ``test_recall_tail``."""
        ranking = RANKINGS[self.masked]
        return f"test_{self.metric}{ranking}_{self.scope or f'at_{self.k}'}"

    @property
    def word(self) -> str:
        """What filters call it, such as ``ndcg_masked@20`` and ``recall_tail``."""
        name = f"{self.metric}{RANKINGS[self.masked]}"
        return f"{name}_{self.scope}" if self.scope else f"{name}@{self.k}"


def _named(results: Iterable[Result]) -> dict[str, Result]:
    return {result.name: result for result in results}


RANK_RESULTS = _named(
    [
        *(
            Result(metric, k, masked)
            for masked, k, metric in product((False, True), CUTOFFS, CUTOFF_METRICS)
            if k != 10
        ),
        *(
            Result(metric, 10, masked, scope)
            for masked, scope, metric in product((False, True), SCOPES, SCOPE_METRICS)
        ),
    ]
)
"""By name: those that follow from the ranks of a run's test targets."""

LIST_RESULTS = _named(
    Result(measure, k, masked)
    for masked, k, measure in product((False, True), CUTOFFS, LIST_MEASURES)
)
"""By name: those that follow from the items that a run recommends to test users."""

RESULT_OF = RANK_RESULTS | LIST_RESULTS
"""All results, by name."""

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
