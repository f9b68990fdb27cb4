"""What a finished run's model reaches under other rules of targets than the run's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.analysis.columns.text import figure
from engine.analysis.protocols.words import rule_title
from engine.analysis.run.beyond import ResultTable

METRICS = {"ndcg": "NDCG@10", "recall": "Recall@10", "mrr": "MRR@10"}

NOTE = "The same model, chosen under its own rule."


def other_rules(evaluations: Iterable[Mapping[str, Any]]) -> ResultTable | None:
    """Make a table with a row for each evaluation, of test over all items; ``None`` without any.

    Args:
        evaluations: as `engine.store.evaluations.evaluations_of` gives them.
    """
    rows = [(rule_title(each["split"]), (*_figures(each), *_counts(each))) for each in evaluations]
    head = (*METRICS.values(), "targets", "users")
    return ResultTable("Under other rules", head, tuple(rows)) if rows else None


def _figures(evaluation: Mapping[str, Any]) -> Iterable[str]:
    for metric in METRICS:
        yield figure(evaluation["metrics"].get(f"test_{metric}"), "metric")


def _counts(evaluation: Mapping[str, Any]) -> Iterable[str]:
    for name in ("test_targets", "test_users"):
        yield figure(evaluation["counts"].get(name), "whole")
