"""Whether the data that are here are those that a run was trained on before."""

from __future__ import annotations

from engine.datasets.interactions import Interactions
from engine.datasets.load import source_files
from engine.datasets.prepared import Prepared, ids_checksum
from engine.datasets.splitting.splits import data_checksum
from engine.errors import DataError
from engine.journal import read_journal
from engine.runfolder import RunFolder
from engine.spec import Dataset

HEAD_BYTES = 100_000
"""Of a journal, within which its ``start`` is."""


def recorded_checksum(folder: RunFolder, attempt: int) -> str | None:
    """Return the checksum of the data that an attempt trained on, by its journal's ``start``;
    ``None`` if it has none."""
    return _recorded(folder, attempt, "checksum")


def newest_checksum(folder: RunFolder) -> str | None:
    """Return the checksum of the data that a run trained on last; ``None`` if nothing tells."""
    return _newest(folder, "checksum")


def refuse_other_names(data: Prepared, dataset: Dataset, folder: RunFolder) -> None:
    """Check that users and items are called what they were called when a run was trained.

    Raises:
        DataError: they are called otherwise, so that a recommendation would name other items.
    """
    recorded = _newest(folder, "ids")
    if recorded is not None and recorded != ids_checksum(data):
        raise DataError(
            f"{_named_files(dataset)} calls users or items otherwise than when the run was "
            "trained: put the old file back, or start a new run."
        )


def _named_files(dataset: Dataset) -> str:
    return " or ".join(map(str, source_files(dataset)))


def _newest(folder: RunFolder, name: str) -> str | None:
    found = (_recorded(folder, attempt, name) for attempt, _ in reversed(folder.journals()))
    return next(filter(None, found), None)


def _recorded(folder: RunFolder, attempt: int, name: str) -> str | None:
    """Return a text of an attempt's ``start``; ``None`` if it has none."""
    try:
        lines = read_journal(folder.journal(attempt), limit=HEAD_BYTES).lines
    except OSError:
        return None
    found = (line.fields.get(name) for line in lines if line.kind == "start")
    return next((each for each in found if isinstance(each, str)), None)


def is_same(interactions: Interactions, dataset: Dataset, recorded: str) -> bool:
    """Whether data have the checksum that was recorded of them.

    Earlier versions recorded that of the interactions, whatever the split.
    """
    return recorded in (interactions.checksum, data_checksum(interactions, dataset))


def refuse_other_data(
    interactions: Interactions, dataset: Dataset, recorded: str, who: str
) -> None:
    """Check that the data are those with a recorded checksum.

    Args:
        who: what was trained on those.

    Raises:
        DataError: they are others; the sentence names the file and both checksums.
    """
    if is_same(interactions, dataset, recorded):
        return
    here = data_checksum(interactions, dataset)
    if dataset.synthetic is not None:
        what, remedy = f"{dataset.title} as it is generated here", "start a new run"
    else:
        what = _named_files(dataset)
        remedy = "put the old file back, or start a new run"
    raise DataError(
        f"{what} holds other data than {who} was trained on (checksum {here[:12]}, not "
        f"{recorded[:12]}): {remedy}."
    )
