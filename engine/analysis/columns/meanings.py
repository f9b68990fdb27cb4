"""What each column of a comparison means, in a sentence or two; docs/protocol.md defines it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from engine.analysis.columns.definitions import AGGREGATE_MEANING, METRIC_NAMES, Aggregate, Column
from engine.metrics import (
    EPOCH_MEASURES,
    EPOCH_TIMES,
    METRICS,
    RANKINGS,
    RESULT_OF,
    SPLITS,
    Result,
    measure_of,
)
from engine.spec.settings import every_setting

METRIC_MEANING = {
    "hit": "Share of users whose held-out next item is ranked in the top ten. Higher is better.",
    "recall": "The same as HitRate@10, since each user has one held-out item. Higher is better.",
    "mrr": "Mean over users of 1/rank of the held-out item; 0 if ranked below 10. Higher is "
    "better.",
    "ndcg": "Mean over users of 1/log2(1 + rank) of the held-out item; 0 if ranked below 10. The "
    "top ranks count most. Higher is better.",
}

_AT_ONE = (
    "Share of users whose held-out next item is ranked first: at 1 NDCG, Recall and MRR are the "
    "same. Higher is better."
)

_LIST_MEANING = {
    "coverage": "Share of all items that are among the top {k} of any test user.",
    "arp": "Average recommendation popularity: the mean over users of how often the top {k} items "
    "occur in training.",
    "novelty": "Mean self-information of the top {k} items, in bits: −log2 of the share of "
    "training users who have the item. Rare items give more.",
    "gini": "Gini coefficient of how often each item is among the top {k}: 0 if all equally often, "
    "1 if it is always the same ones.",
}
SCOPE_MEANING = {
    "": "",
    "warm": " Only targets whose item and user occur in training.",
    "head": " Only targets among the most popular 10 % of items, counted in training.",
    "mid": " Only targets among the next 40 % of items by popularity, counted in training.",
    "tail": " Only targets among the least popular half of items, counted in training.",
}
OF_OLDER_RUNS = " Older runs have it after `seqbench evaluate --own`."
SPLIT_MEANING = {
    "valid": "The held-out item is the second to last of each user. Chooses the epoch.",
    "test": "The held-out item is the last of each user. Not used for model selection.",
}
RANKING_MEANING = {
    "": "Ranked among all items; a tie counts against the held-out one.",
    "_masked": "Ranked only among items the user hadn't seen before: not comparable with metrics "
    "over all items.",
}
MEASURE_MEANING = {
    "loss": "Mean cross-entropy per target in training, in nats. Lower is a better fit.",
    "loss_sum": "The loss as the reference table sums it: the mean per target times the number of "
    "batches of 128 in an epoch.",
    "grad_norm": "Mean gradient norm over an epoch's updates, before clipping.",
    "lr": "The learning rate of the epoch.",
    "train_seconds": "Seconds of training per epoch, without evaluation. Lower is better.",
    "eval_seconds": "Seconds of evaluation per epoch.",
    "cpu_seconds": "CPU seconds of training per epoch, of all threads and processes: other "
    "programs change it less than they change wall time. Unknown for older runs. Lower is better.",
    "cpu_wait_seconds": "Seconds that threads waited for a CPU in an epoch's training, all "
    "added up.",
    "gpu_memory_mib": "Peak GPU memory of the run, according to the driver; empty without a GPU.",
    "gpu_utilization": "GPU utilization, mean over an epoch, according to the driver.",
    "parameters": "Trainable weights.",
    "epochs_trained": "Epochs until training ended, at its limit or by early stopping.",
    "best_epoch": "The epoch with the best validation NDCG@10: its test metrics are the result.",
    "total_seconds": "Seconds of training and evaluation of all epochs.",
    "tuned_trials": "Trials of its model in the study that chose its settings; by hand where people"
    " chose them, empty where nobody says who did.",
    "tuned_seconds": "Seconds of training and evaluation of these trials together.",
    "joules_per_epoch": "Joules of training per epoch, without evaluation: the median over epochs, "
    "whatever the aggregate. EnergyOf says what is in it. Unknown for older runs. Lower is better.",
    "joules_to_best": "Joules of training until the end of the chosen epoch. Lower is better.",
    "joules": "Joules of training of all epochs, without evaluation.",
    "seconds_to_quality": "Seconds of training until validation first reached 95 % of the best "
    "NDCG@10 that any run here reached on the same data. Lower is better.",
    "joules_to_quality": "Joules of training until validation first reached 95 % of the best "
    "NDCG@10 that any run here reached on the same data. Lower is better.",
    "test_users": "Users that the test metrics are of.",
    "test_cold_users": "Those test users whom training never had.",
    "test_targets": "Held-out items that are ranked in test, one or several per user.",
    "test_cold": "Those held-out items of test that occur in no training interaction.",
    "ceiling": "The highest value that a test metric can have, apart from chance: the share of "
    "held-out items that occur in training, averaged by user.",
    "joules_of": "What the energy is of: the run's GPUs by their driver's counters (GPU), the "
    "machine's processors (CPU), or both, as far as it is known of every epoch.",
    "users_per_second_1": "Users per second that the trained model recommends for at batch size 1,"
    " on the device it was trained on: from a history to the top ten of all items. Unknown for"
    " older runs.",
    "users_per_second_256": "The same at batch size 256. Unknown for older runs.",
    "id": "The run's id: in commands, any part of its beginning or end that is unique will do.",
    "model": "The model.",
    "dataset": "The data set.",
    "length": "How many of a user's last items the model sees.",
    "seed": "The seed of all random numbers: runs of a cell differ in nothing else.",
    "profile": "The recipe: reference is as published, tuned is ours; a * marks overrides.",
    "tags": "Words that you gave the run; tag:WORD finds it.",
    "note": "What you wrote about the run.",
    "suite": "The named set of cells that it was launched with.",
    "refits": "The run that it trains again with validation included, to its chosen epoch: not "
    "comparable with runs that weren't, so it is no best value beside them.",
    "device": "What it was trained on.",
    "created": "When it was queued.",
    "origin": "How a run trained by another program came here; empty for seqbench's own. Imported "
    "runs are left out of means and tests.",
    "marks": "Why its values need caution. Its times aren't comparable: another process on its "
    "GPU (shared), a clock held down (throttled) or too little CPU time (busy-processor). Its "
    "metrics aren't comparable: another copy of the data set (other-copy), data that changed "
    "(changed-data) or a best epoch that is the last one allowed (still-improving).",
    "state": "The run's state: see the states below.",
}

TIME_MEANING = {
    "median": "the median over epochs, however metrics are aggregated, so that warm-up in the "
    "first epoch or a few disturbed epochs don't change it",
    "max": "the maximum over epochs, as in the reference table",
}
"""How the times of epochs are aggregated, by the end of a column's name."""


def meaning(column: Column, aggregate: Aggregate) -> str:
    """Explain what a column shows, and how a run's epochs become its figure."""
    if column.setting:
        setting = every_setting()[column.source]
        return f"{setting.about or 'A setting of the model.'} --set {setting.name}=… sets it."
    if result := RESULT_OF.get(column.source):
        return _result_meaning(result)
    measure = measure_of(column.source) or column.source
    if measure in MEASURE_MEANING:
        found = MEASURE_MEANING[measure]
    else:
        split, metric, ranking = _PARTS[measure]
        found = f"{METRIC_MEANING[metric]} {SPLIT_MEANING[split]} {RANKING_MEANING[ranking]}"
    if measure in EPOCH_MEASURES:
        shown = AGGREGATE_MEANING[aggregate]
        if measure in EPOCH_TIMES:
            shown = TIME_MEANING[column.source.rpartition("_")[2]]
        return f"{found} Shown: {shown}."
    return found


def _result_meaning(result: Result) -> str:
    if result.metric in _LIST_MEANING:
        found = _LIST_MEANING[result.metric].format(k=result.k)
    elif result.k == 1:
        found = _AT_ONE
    else:
        # Recall is explained as what it is: HitRate, its equal, has no column at other cut-offs.
        found = METRIC_MEANING["hit" if result.metric == "recall" else result.metric]
        found = found.replace("top ten", f"top {result.k}").replace("below 10", f"below {result.k}")
    scope = SCOPE_MEANING[result.scope]
    later = OF_OLDER_RUNS if result.scope or result.metric in _LIST_MEANING else ""
    return f"{found}{scope} {RANKING_MEANING['_masked' if result.masked else '']}{later}"


def glossary() -> Iterator[tuple[str, str]]:
    """Yield the metrics and the words about them, each with its meaning."""
    for metric in METRICS:
        yield METRIC_NAMES[metric], METRIC_MEANING[metric]
    yield "/valid", SPLIT_MEANING["valid"]
    yield "/test", SPLIT_MEANING["test"]
    yield "seen masked", RANKING_MEANING["_masked"]
    yield "± std", "Sample standard deviation over the seeds of a cell."


_PARTS = {
    f"{split}_{metric}{ranking}": (split, metric, ranking)
    for split, metric, ranking in product(SPLITS, METRICS, RANKINGS)
}
"""Split, metric and ranking of each metric's measure."""
