"""What a finished run's folder holds for its results."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.files.atomic import write_atomically
from engine.files.regular import open_regular, read_regular
from engine.results.cutoffs import Ranks, Users
from engine.runfolder import RunFolder

FORMAT = 1
"""Of the file of results."""


def read_ranks(folder: RunFolder) -> tuple[Ranks, Users | None]:
    """Read the ranks of a run's test targets, and their users; ``None`` if each target is another
    user's.

    Raises:
        OSError: they can't be read, or aren't there.
        ValueError: the file holds something else.
    """
    with open_regular(folder.test_ranks) as file:
        ranks: Ranks = read_array(file)
    if ranks.ndim != 2 or ranks.shape[0] != 2 or not np.issubdtype(ranks.dtype, np.integer):
        raise ValueError("not ranks of test targets")
    if ranks.size and ranks.min() < 1:
        raise ValueError("a rank below 1")
    try:
        with open_regular(folder.test_users) as file:
            users: Users = read_array(file)
    except FileNotFoundError:
        return ranks, None
    if users.shape != ranks.shape[1:] or not np.issubdtype(users.dtype, np.integer):
        raise ValueError("not the users of its test targets")
    if (np.diff(users) < 0).any():
        raise ValueError("the users of its test targets are out of order")
    return ranks, users


def read_array(file: BinaryIO) -> NDArray[Any]:
    """Read an array from a file of NumPy's. `numpy.load` reads other formats too, and reports an
    empty file otherwise than a damaged one.

    Raises:
        ValueError: the file holds something else.
    """
    found: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return found


def write_results(
    folder: RunFolder,
    results: Mapping[str, float],
    *,
    protocol: int,
    checksum: str,
    made_with: Mapping[str, Any],
) -> None:
    """Write results of a run whose journal doesn't have them.

    Args:
        results: by the names in `engine.metrics.RESULT_OF`.
        protocol: the run's.
        checksum: of its data.
        made_with: device, number types, threads and versions.

    Raises:
        OSError: they can't be written.
    """
    content = {
        "format": FORMAT,
        "protocol": protocol,
        "checksum": checksum,
        "results": results,
        "made_with": made_with,
    }
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
    write_atomically(folder.results, text + "\n")


def read_results(folder: RunFolder) -> dict[str, float]:
    """Read what `write_results` wrote, but for its origin.

    Raises:
        OSError: it can't be read, or isn't there.
        ValueError: the file holds something else, or a newer version wrote it.
    """
    try:
        content = json.loads(read_regular(folder.results))
        if content["format"] != FORMAT:
            raise ValueError("not results of this version")
        found = {str(name): float(value) for name, value in content["results"].items()}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not results of a run") from error
    if not all(map(math.isfinite, found.values())):
        raise ValueError("a result that is no number")
    return found
