"""What is known of whether a data set can tell models apart: the kept judgement and the store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from engine.config import Catalogue
from engine.datasets.load import open_data
from engine.datasets.splitting.splits import data_checksum
from engine.judge.ask import JudgingProcess, StoredFit
from engine.judge.judgement import Judgement
from engine.judge.kept import judgement_key, read_kept
from engine.judge.sentence import Told, told
from engine.judge.size import about, expected_seconds
from engine.judge.stored import Network, stored_fits, stored_networks
from engine.spec import Dataset
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation


@dataclass(frozen=True)
class Known:
    """What is known before a data set is judged."""

    dataset: Dataset
    length: int
    kept: Judgement | None
    networks: tuple[Network, ...]
    fits: Mapping[str, StoredFit]
    takes: str
    """About how long judging takes, in words."""

    @property
    def said(self) -> Told | None:
        """The kept judgement beside the networks; ``None`` if none is kept."""
        return None if self.kept is None else told(self.kept, self.networks)

    def start(self) -> JudgingProcess:
        """Start judging. Raises `DataError` if no process can be started."""
        return JudgingProcess(self.dataset, self.length, self.fits)


def known_of(dataset: Dataset, length: int, location: StoreLocation, catalogue: Catalogue) -> Known:
    """Read what is known of a data set.

    Raises:
        DataError: the data isn't here, can't be read, or can't be split as the data set says.
        StoreError: the store is damaged, or another version made it.
    """
    own = open_data(dataset).interactions
    networks: list[Network] = []
    fits: dict[str, StoredFit] = {}
    if location.db.exists():
        checksum = data_checksum(own, dataset)
        with closing(connect_reader(location)) as con:
            networks = stored_networks(con, location, catalogue, dataset, checksum)
            fits = stored_fits(con, location, catalogue, dataset, checksum, length)
    return Known(
        dataset,
        length,
        read_kept(judgement_key(own, dataset, length)),
        tuple(networks),
        fits,
        about(expected_seconds(own.num_users, own.num_items, len(own.items))),
    )
