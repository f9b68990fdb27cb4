"""Reading whether data sets are here, in a thread."""

from __future__ import annotations

from urllib.parse import urlsplit

from engine.datasets.confirm import confirm
from engine.datasets.locate import locate
from engine.spec import Dataset
from tui.data.words import Availability
from tui.shell.states import MARKED
from tui.shell.text import TITLE, bytes_, plain, short_path


def availability_of(dataset: Dataset) -> Availability:
    """Find out where a data set is, or what it takes to get it."""
    if dataset.synthetic is not None:
        return Availability("✓", "$state-done", "built in", True)
    if located := locate(dataset):
        found = confirm(dataset)
        if found is not None and found.confirmed is False:
            return Availability(MARKED, "$warning", found.sentence, True)
        return Availability("✓", "$state-done", short_path(located.folder, 60), True)
    if dataset.archive is None:
        said = "not here; it can't be fetched, see the note"
        return Availability("–", "$text-disabled", said, False)
    host = urlsplit(dataset.archive.url).hostname or dataset.archive.url
    checked = "md5 published" if dataset.archive.md5 else "no checksum of it is confirmed"
    cost = f"not here: {bytes_(dataset.archive.bytes)} from {plain(host, TITLE)}, {checked}"
    return Availability("↓", "$accent", cost, False)
