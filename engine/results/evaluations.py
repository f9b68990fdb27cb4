"""Evaluations of a finished run under other rules of targets than its own: files of its folder.

An evaluation is two files. The metrics are written last and name the SHA-256 of the ranks, so that
a crash between the two leaves no evaluation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.files.atomic import write_atomically
from engine.files.regular import open_regular, read_regular
from engine.results.cutoffs import Ranks, Users
from engine.results.files import read_array
from engine.results.users import with_several
from engine.runfolder import RunFolder

FORMAT = 1


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a finished run's model under another rule than the run's own."""

    rule: str
    """Its name, such as ``temporal-last`` (`engine.datasets.splitting.otherrule.rule_name`)."""
    split: Mapping[str, Any]
    """The rule: `engine.spec.SplitRule` as JSON."""
    protocol: int
    checksum: str
    """Of the data under that rule (`engine.datasets.splitting.splits.data_checksum`)."""
    metrics: Mapping[str, float]
    """By the names in `engine.metrics.METRIC_COLUMNS` and `engine.metrics.RESULT_OF`."""
    counts: Mapping[str, float | None]
    """Whom it is of, by the names of a journal's ``start``: ``test_users``, ``test_targets`` …"""
    made_with: Mapping[str, Any]
    """Device, number types, threads and versions."""


def write_evaluation(
    folder: RunFolder, found: Evaluation, ranks: Ranks, users: NDArray[np.integer[Any]]
) -> None:
    """Write an evaluation into its run's folder.

    Args:
        users: (targets,): the number of each target's user, ascending.

    Raises:
        OSError: it can't be written.
    """
    buffer = BytesIO()
    np.save(buffer, np.vstack([ranks, users]).astype(np.int32), allow_pickle=False)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    write_atomically(folder.evaluation_ranks(found.rule), buffer.getvalue())
    content = {"format": FORMAT, **vars(found), "ranks_sha256": digest}
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
    write_atomically(folder.evaluation(found.rule), text + "\n")


def read_evaluation(folder: RunFolder, rule: str) -> Evaluation:
    """Read what `write_evaluation` wrote, but for the ranks.

    Raises:
        OSError: it can't be read, or isn't there.
        ValueError: the file holds something else, or a newer version wrote it.
    """
    return parse_evaluation(rule, json.loads(read_regular(folder.evaluation(rule))))


def parse_evaluation(rule: str, content: Any) -> Evaluation:
    """Return an evaluation from the content of its file. Raises `ValueError` if it isn't one."""
    try:
        if content["format"] != FORMAT or content["rule"] != rule:
            raise ValueError("not an evaluation of this version")
        return Evaluation(
            rule,
            dict(content["split"]),
            int(content["protocol"]),
            str(content["checksum"]),
            {str(name): float(value) for name, value in content["metrics"].items()},
            dict(content["counts"]),
            dict(content["made_with"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not an evaluation") from error


def read_evaluation_ranks(folder: RunFolder, rule: str) -> tuple[Ranks, Users | None]:
    """Read the ranks of an evaluation, and their users; ``None`` if each target is another user's.

    Raises:
        OSError: they can't be read, or aren't there.
        ValueError: the files aren't of one evaluation.
    """
    content = json.loads(read_regular(folder.evaluation(rule)))
    with open_regular(folder.evaluation_ranks(rule)) as file:
        data = file.read()
    told = content.get("ranks_sha256") if isinstance(content, dict) else None
    if hashlib.sha256(data).hexdigest() != told:
        raise ValueError("the ranks aren't those that the metrics are of")
    rows: NDArray[np.int32] = read_array(BytesIO(data))
    users = rows[2]
    return rows[:2], users if with_several(users) else None
