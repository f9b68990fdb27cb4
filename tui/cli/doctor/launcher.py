"""``seqbench doctor --launcher NAME``: the way from here to a node and back."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from importlib.metadata import version

from engine.config import SlurmProfile
from engine.supervisor.slurm import client
from engine.supervisor.slurm.client import Partition
from engine.supervisor.slurm.probe import Probe, StillWaitingError, probe
from tui.cli.doctor.findings import Finding
from tui.cli.session import Session

MOST_SKEW = 5.0
"""Seconds between clocks from which on the times of a run don't fit together."""


def check_launcher(session: Session, name: str) -> Iterator[Finding]:
    """Commands, partition, and a job that looks at a node. Raises `UserError`."""
    profile = session.catalogue.launcher(name)
    yield Finding("profile", "ok", f"{profile.name}: {profile.title or 'Slurm'}")
    try:
        yield Finding("commands", "ok", client.version())
        found = client.partitions()
    except client.SlurmError as error:
        cure = "Run seqbench where sbatch works: on the cluster's login node, say."
        yield Finding("commands", "problem", str(error), cure)
        return
    fit = yield from _check_partition(profile, found)
    if fit:
        yield from _check_node(session, profile)


def _check_partition(
    profile: SlurmProfile, found: Sequence[Partition]
) -> Generator[Finding, None, bool]:
    """Whether there is one that takes jobs."""
    wanted = profile.partition.split(",") if profile.partition else []
    chosen = [p for p in found if p.name in wanted or (not wanted and p.default)]
    names = ", ".join(partition.name for partition in found)
    if not chosen:
        what = f"{profile.partition} isn't there" if wanted else "there is no default one"
        cure = f"Set `partition` in the profile: {names}."
        yield Finding("partition", "problem", what, cure)
        return False
    for partition in chosen:
        text = f"{partition.name}: {partition.nodes} nodes, at most {partition.time_limit} per job"
        if partition.up:
            yield Finding("partition", "ok", text)
        else:
            yield Finding("partition", "problem", f"{text}, but it is down", "Ask who runs it.")
    return any(partition.up for partition in chosen)


def _check_node(session: Session, profile: SlurmProfile) -> Iterator[Finding]:
    try:
        found = probe(profile, session.location.runs.absolute())
    except StillWaitingError as error:
        text = f"{error} It was cancelled; it isn't known what a node has."
        yield Finding("node", "note", text, "Try again when the cluster has room.")
        return
    except client.SlurmError as error:
        yield Finding("node", "problem", str(error), "docs/cluster.md says what nodes need.")
        return
    except OSError as error:
        text = f"{error.filename} can't be written: {error.strerror}"
        cure = "Make room there, or name others with --db and in SEQBENCH_CACHE."
        yield Finding("node", "problem", text, cure)
        return
    took = found.received - found.sent
    where = f"job {found.job} wrote to {session.location.runs}"
    yield Finding("node", "ok", f"{found.answer['host']}: {where}, seen here after {took:.1f} s")
    yield from _compare(profile, found)


def _compare(profile: SlurmProfile, found: Probe) -> Iterator[Finding]:
    said = found.answer
    if abs(found.skew) > MOST_SKEW:
        ahead = "ahead" if found.skew > 0 else "behind"
        text = f"the node's is {abs(found.skew):.0f} s {ahead}"
        yield Finding("clock", "problem", text, "Let chrony or ntpd run on all machines.")
    else:
        yield Finding("clock", "ok", f"the node's differs by less than {MOST_SKEW:g} s")
    yield Finding("python", "ok", f"{said['python']}, {said['interpreter']}")
    yield Finding("seqbench", "ok", str(said["code"]))
    for package, there in said["packages"].items():
        here = version(package)
        if there is None:
            cure = (
                "Install it where nodes see it, or name an interpreter as `python` in the profile."
            )
            yield Finding(package, "problem", "isn't installed there", cure)
        elif there != here:
            yield Finding(package, "note", f"{there} there, {here} here: results may differ")
        else:
            yield Finding(package, "ok", there)
    for gpu in said["gpus"]:
        yield Finding("gpu", "ok", gpu)
    if profile.device == "cuda" and not said["gpus"]:
        cure = "The partition has none, or torch is built for another CUDA version."
        yield Finding("gpu", "problem", "torch finds none there", cure)
    for folder in said["absent"]:
        cure = "Put it where the nodes see it: SEQBENCH_DATA and SEQBENCH_CACHE name others."
        yield Finding("data", "problem", f"{folder} isn't there", cure)
    if not said["absent"]:
        yield Finding("data", "ok", "the folders of data and of prepared copies are there")
