"""The GPUs that runs may train on: the driver's, as far as ``CUDA_VISIBLE_DEVICES`` shows them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import shown
from engine.machine.telemetry import gpu_names

VISIBLE = "CUDA_VISIBLE_DEVICES"

_INDEX = re.compile(r"[+-]?[0-9]{1,9}(?![0-9])")
"""What CUDA reads of an entry: a number's start, whatever follows."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that runs may train on."""

    visible: str
    """Its entry in ``CUDA_VISIBLE_DEVICES``: the UUID, or the entry that was inherited."""
    title: str


@dataclass(frozen=True, slots=True)
class UsableGpus:
    """The GPUs that a process may use."""

    gpus: tuple[Gpu, ...]
    note: str | None = None
    """A sentence on what of the driver's GPUs, or of the list, isn't used; ``None`` if all are."""


def usable_gpus(environment: Mapping[str, str] = os.environ) -> UsableGpus:
    """Return the GPUs of this machine that a process with this environment may use."""
    return visible_gpus(gpu_names(), environment)


def visible_gpus(
    names: Mapping[str, str], environment: Mapping[str, str] = os.environ
) -> UsableGpus:
    """Return the GPUs that an environment shows, each once.

    An inherited ``CUDA_VISIBLE_DEVICES`` is the whole list, and its entries are kept: an index
    there counts in CUDA's order, which isn't the driver's. As in CUDA the list ends before the
    first entry that is no GPU, or that is of another kind (index, UUID) than the first. Inside a
    Slurm job without it no GPU was allocated, whatever the driver shows.

    Args:
        names: names of the driver's GPUs by their UUIDs, in the driver's order.
    """
    if not names:
        return UsableGpus(())
    inherited = environment.get(VISIBLE)
    if inherited is None:
        if "SLURM_JOB_ID" in environment:
            return UsableGpus((), "This Slurm job has no GPU: ask for one with --gres=gpu:1.")
        return UsableGpus(tuple(Gpu(uuid, name) for uuid, name in names.items()))
    entries = [_plain(entry) for entry in inherited.split(",")]
    usable: dict[str, Gpu] = {}
    repeated = ""
    for entry in entries:
        if _kind(entry) != _kind(entries[0]) or not _is_gpu(entry, names):
            note = _ending_note(inherited, entry, bool(usable), names)
            return UsableGpus(tuple(usable.values()), note)
        uuid = uuid_of(entry, names, environment)
        if (uuid or entry) in usable:
            repeated = repeated or f"{VISIBLE} names GPU {entry} twice: it counts once."
        else:
            title = names[uuid] if uuid else next(iter(names.values()))
            usable[uuid or entry] = Gpu(entry, title)
    return UsableGpus(tuple(usable.values()), repeated or None)


def uuid_of(visible: str, names: Mapping[str, str], environment: Mapping[str, str]) -> str | None:
    """Return the UUID of the driver's GPU for an entry of ``CUDA_VISIBLE_DEVICES``; ``None`` if
    that isn't certain.

    CUDA numbers the fastest GPU first unless ``CUDA_DEVICE_ORDER`` says otherwise, the driver goes
    by bus: with GPUs of one kind both orders are equal.
    """
    if _is_index(visible):
        alike = len(set(names.values())) == 1
        by_bus = environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
        index = int(visible)
        return list(names)[index] if index < len(names) and (alike or by_bus) else None
    found = _named(visible, names)
    return found[0] if len(found) == 1 else None


def _plain(entry: str) -> str:
    """Write an entry as its index alone, or as its UUID without blanks."""
    entry = entry.strip()
    index = _INDEX.match(entry)
    return str(int(index[0])) if index else entry


def _kind(entry: str) -> str:
    return "" if _is_index(entry) else entry[:4]


def _is_index(entry: str) -> bool:
    return entry.isascii() and entry.isdecimal() and len(entry) < 10


def _is_gpu(entry: str, names: Mapping[str, str]) -> bool:
    if _is_index(entry):
        return int(entry) < len(names)
    # Of the parts of a divided GPU (MIG) the driver's list tells nothing.
    return entry.startswith("MIG-") or len(_named(entry, names)) == 1


def _named(entry: str, names: Mapping[str, str]) -> list[str]:
    """Return the UUIDs that begin with an entry, which may be any start of one in any case."""
    if not entry.startswith("GPU-") or entry == "GPU-":
        return []
    return [uuid for uuid in names if uuid.casefold().startswith(entry.casefold())]


def _ending_note(inherited: str, entry: str, some: bool, names: Mapping[str, str]) -> str:
    """Say why a list of GPUs ends before an entry."""
    if not some and entry in ("", "-1"):
        return f"{VISIBLE} is {shown(inherited)}, which hides every GPU."
    there = "the only GPU is 0" if len(names) == 1 else f"the GPUs are 0 to {len(names) - 1}"
    what = f"isn't a GPU here ({there})"
    if _is_gpu(entry, names):
        what = "is of another kind than the first (numbers and UUIDs can't be mixed)"
    left = "it and those after it are not used" if some else "no GPU is used"
    return f"{VISIBLE} is {shown(inherited)}, and {shown(entry)} {what}: {left}."
