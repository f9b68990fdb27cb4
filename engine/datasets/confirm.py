"""Comparing the local copy of a data set with what its entry says.

The files' MD5s are compared, which is quick: they are kept (`engine.datasets.digests`). A file of
another MD5 may still hold the same interactions, packed or written otherwise; it is read then.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.datasets.digests import file_digests
from engine.datasets.locate import known_md5s, locate
from engine.errors import DataError
from engine.spec import Dataset


@dataclass(frozen=True)
class Confirmation:
    """Whether the local copy of a data set contains what its entry says."""

    confirmed: bool | None
    """``None`` if no checksum is known that it could be compared with."""
    what: str = ""
    """What differs, or what isn't known; empty if it is confirmed."""
    cure: str = ""
    """What to do."""
    usable: bool = True
    """Whether runs may train on it: on another copy of a published data set they may, and are
    marked; a file of one's own that holds something else than when it was imported is refused."""

    @property
    def sentence(self) -> str:
        """What differs, and what to do; empty if it is confirmed."""
        said = ": ".join(filter(None, (self.what, self.cure)))
        return f"{said}." if said else ""


def confirm(dataset: Dataset) -> Confirmation | None:
    """Compare the files of a data set with their known MD5s; ``None`` if it is generated or not
    here."""
    located = locate(dataset)
    if located is None:
        return None
    unknown = []
    for name, known in known_md5s(dataset, located.folder).items():
        path = located.folder / name
        if known is None:
            unknown.append(name)
            continue
        try:
            found = file_digests(path).md5
        except OSError as error:
            return Confirmation(
                False,
                f"{path} can't be read ({error.strerror})",
                "make it readable",
                usable=False,
            )
        if found != known and (different := _different(dataset, path, found, known)):
            return different
    if unknown:
        names = ", ".join(unknown)
        return Confirmation(None, f"no md5 of {names} is known, so this copy isn't confirmed")
    return Confirmation(True)


def _different(dataset: Dataset, path: Path, found: str, known: str) -> Confirmation | None:
    """Say what a file of another MD5 means; ``None`` if its interactions are the known ones."""
    md5s = f"its md5 is {found}, not {known}"
    same = _same_interactions(dataset)
    if same:
        return None
    if dataset.archive is not None:
        return Confirmation(
            False,
            f"{path} is not the published file ({md5s}), so runs on it are marked and aren't "
            "comparable with published results",
            f"remove it and run `seqbench data fetch {dataset.name}`",
        )
    changed = f"{path} has changed since {dataset.name} was imported ({md5s})"
    cure = "put the old file back, or import it again with --replace and start a new run"
    if same is None:
        return Confirmation(False, f"{changed}, so runs on it are marked", cure)
    return Confirmation(False, f"{changed} and has other interactions", cure, usable=False)


def _same_interactions(dataset: Dataset) -> bool | None:
    """Whether the data are what the entry was made of; ``None`` if it doesn't tell."""
    if dataset.interactions_sha256 is None:
        return None
    # Not at the top: they load numpy, which is needed for a changed file only.
    from engine.datasets.load import open_data
    from engine.datasets.splitting.splits import data_checksum

    # Entries made before there was a choice of targets are of the first ones.
    first = dataset.split.model_copy(update={"targets": "first"})
    try:
        own = open_data(dataset).interactions
        here = [
            data_checksum(own, each)
            for each in (dataset, dataset.model_copy(update={"split": first}))
        ]
    except DataError:
        return False
    return dataset.interactions_sha256 in here
