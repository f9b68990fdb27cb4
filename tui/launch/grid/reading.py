"""What the grid shows of the store. Loads neither the configuration nor pydantic, so that it is
there soon after the first paint."""

from __future__ import annotations

from contextlib import closing

from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.places import launch_cells
from engine.store.queries import present_fingerprints
from tui.launch.grid.contents import StoreView


def read_store(location: StoreLocation) -> StoreView:
    """Read all cells; an absent store is an empty one. Raises `StoreError`."""
    if not location.db.exists():
        return StoreView()
    with closing(connect_reader(location)) as connection:
        return StoreView(launch_cells(connection), frozenset(present_fingerprints(connection)))
