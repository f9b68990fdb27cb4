"""Another rule of targets for a model that is trained already, and whether the model may be ranked
by it: only if a run that is trained under that rule would be trained on the same interactions.
"""

from __future__ import annotations

import numpy as np

from engine.datasets.splitting.splits import SplitData
from engine.errors import DataError
from engine.evaluated import with_targets
from engine.spec import SplitRule, Targets
from engine.spec.data import SplitKind

LEAVE_ONE_OUT = "leave-one-out"

DERIVE = "`seqbench data derive` makes a data set of the same data with another split"


def asked_rule(own: SplitRule, kind: SplitKind | None, targets: Targets | None) -> SplitRule:
    """Return the rule that is asked for: the run's own with other targets, or a split of another
    kind with its defaults.

    Args:
        kind: as in `SplitRule`; ``None`` for the run's own.

    Raises:
        DataError: leave-one-out ranks one target per user, and has no rule of targets.
    """
    kind = kind or own.kind
    if kind == LEAVE_ONE_OUT and targets is not None:
        remedy = f"train the model under a split by time ({DERIVE})"
        raise DataError(
            "leave-one-out ranks one target per user, so that no other targets can be asked for: "
            f"{remedy if own.kind == LEAVE_ONE_OUT else 'leave out --targets'}."
        )
    if kind == own.kind:
        return own.model_copy(update={} if targets is None else {"targets": targets})
    return SplitRule(kind=kind) if targets is None else SplitRule(kind=kind, targets=targets)


def rule_name(rule: SplitRule) -> str:
    """Return what evaluations under a rule are called in a run's folder, such as
    ``temporal-last``."""
    return rule.kind if rule.kind == LEAVE_ONE_OUT else f"{rule.kind}-{rule.targets}"


def refuse_other_training(own: SplitData, other: SplitData, rule: SplitRule) -> None:
    """Check that a model that was trained under a split may be ranked on another one's test
    targets.

    Args:
        own: the split that it was trained under.
        other: the same interactions under ``rule``.

    Raises:
        DataError: it was trained on other interactions than a run under that rule would be, or its
            epoch was chosen on what that rule tests.
    """
    name = rule_name(rule)
    remedy = f"train the model under that split instead ({DERIVE})"
    users, ends = other.test.users, other.test.ends
    of = with_targets(len(ends), len(other.test.evaluated), "test users")
    if seen := int((ends < own.train_end[users]).sum()):
        raise DataError(
            f"under {name} it would be ranked on what it was trained on ({seen:,} of the {of}): "
            f"{remedy}."
        )
    if not np.array_equal(own.train_end, other.train_end):
        its, theirs = (
            int((each.train_end - each.interactions.offsets[:-1]).sum()) for each in (own, other)
        )
        raise DataError(
            f"it was trained on {its:,} interactions, and a run under {name} would be on "
            f"{theirs:,} that aren't all the same: {remedy}."
        )
    if chosen := int(np.isin(ends, own.valid.ends).sum()):
        raise DataError(
            f"its epoch was chosen on what {name} tests ({chosen:,} of the {of}): {remedy}."
        )
