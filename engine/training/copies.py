"""One copy of a data set's histories on each device, for all runs of a process."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock
from weakref import WeakValueDictionary

import torch

from engine.datasets.interactions import Interactions
from engine.training.ranking.evaluation import FlatHistories, flat_histories

KEPT = 2
"""Copies that are kept though no run uses them: the next run may."""

_Key = tuple[str, str, torch.device]

_used: WeakValueDictionary[_Key, FlatHistories] = WeakValueDictionary()
_kept: OrderedDict[_Key, FlatHistories] = OrderedDict()
_lock = Lock()


def shared_histories(
    interactions: Interactions, device: torch.device, *, timed: bool = False
) -> FlatHistories:
    """Return the copy of `flat_histories` that the runs of this process share; nothing may be
    written to it."""
    with _lock:
        key = (interactions.checksum, _times_digest(interactions) if timed else "", device)
        found = _used.get(key)
        if found is None:
            found = _used[key] = flat_histories(interactions, device, timed=timed)
        _kept[key] = found
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return found


def _times_digest(interactions: Interactions) -> str:
    """Digest the times, which the data's checksum leaves out."""
    if interactions.times is None:
        return ""
    return hashlib.sha256(interactions.times.data).hexdigest()
