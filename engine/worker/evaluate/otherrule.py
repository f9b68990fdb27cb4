"""Ranking a finished run's model under another rule of targets, as a run that was trained under
that rule is ranked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.datasets.splitting.otherrule import asked_rule, refuse_other_training, rule_name
from engine.datasets.splitting.splits import SPLITS, SplitData, data_checksum, run_split
from engine.datasets.splitting.statistics import split_counts
from engine.models.base import TimedModel
from engine.results.cutoffs import Ranks
from engine.results.evaluations import Evaluation, write_evaluation
from engine.runfolder import RunFolder
from engine.spec import Dataset, Targets
from engine.spec.data import SplitKind
from engine.spec.identity import PROTOCOL
from engine.training.ranking.evaluation import evaluation_set, flat_histories, metric_columns, ranks
from engine.training.ranking.lists import recommended
from engine.training.setup import uses_bfloat16
from engine.worker.results import test_results
from engine.worker.trained import Trained, as_trained, made_with, open_trained


def evaluate(folder: RunFolder, kind: SplitKind | None, targets: Targets | None) -> str:
    """Rank a finished run's model under another rule, and write that to the run's folder.

    Args:
        kind, targets: as in `asked_rule`.

    Returns:
        The rule's name.

    Raises:
        DataError: the run has no weights, its data isn't here or has changed, or its model may not
            be ranked by that rule.
        OSError: the folder can't be written.
    """
    opened = open_trained(folder)
    rule = asked_rule(opened.spec.source.split, kind, targets)
    dataset = opened.spec.source.model_copy(update={"split": rule})
    under = opened.spec.model_copy(update={"source": dataset})
    other = run_split(opened.data.interactions, under)
    refuse_other_training(opened.split, other, rule)
    device = as_trained(folder)
    found = ranked(opened, other, device)
    write_evaluation(
        folder, _evaluation(opened, dataset, other, found, device), found.ranks, other.users("test")
    )
    return rule_name(rule)


@dataclass(frozen=True)
class RankedUnder:
    """What a model's ranks under a split amount to."""

    ranks: Ranks
    """Of the test targets."""
    metrics: dict[str, float]
    """As in `Evaluation`."""


def ranked(opened: Trained, split: SplitData, device: torch.device) -> RankedUnder:
    """Rank a model on the targets of a split, of test and of validation, unless the model is that
    of a refit."""
    model = opened.model.to(device)
    training = opened.spec.training
    batch, bfloat16 = training.eval_batch_size, uses_bfloat16(training, device)
    flat = flat_histories(split.interactions, device, timed=isinstance(model, TimedModel))
    metrics: dict[str, float] = {}
    of_test: NDArray[np.int32] = np.zeros((2, 0), np.int32)
    for name in SPLITS:
        if not len(split.users(name)):
            continue
        targets = evaluation_set(split, name, opened.spec.length, flat)
        both = ranks(model, targets, batch, bfloat16=bfloat16).cpu()
        metrics |= metric_columns(name, both, targets.users)
        of_test = both.numpy()
    lists = recommended(model, split, device, batch, bfloat16=bfloat16)
    return RankedUnder(of_test, metrics | test_results(split, of_test, lists))


def _evaluation(
    opened: Trained, dataset: Dataset, split: SplitData, found: RankedUnder, device: torch.device
) -> Evaluation:
    counts = split_counts(split)
    valid = {"valid_users": counts.valid, "valid_targets": counts.valid_targets}
    return Evaluation(
        rule=rule_name(dataset.split),
        split=dataset.split.model_dump(mode="json"),
        protocol=PROTOCOL,
        checksum=data_checksum(split.interactions, dataset),
        metrics=found.metrics,
        counts={
            **({} if opened.spec.training.refit else valid),
            "test_users": counts.test,
            "test_targets": counts.test_targets,
            "test_cold": counts.test_cold,
            "test_cold_users": counts.test_cold_users,
            "test_without_history": counts.test_without_history,
            "test_ceiling": counts.test_ceiling,
        },
        made_with=made_with(opened.spec, device),
    )
