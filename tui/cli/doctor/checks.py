"""What ``seqbench doctor`` looks at, one function a topic."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engine import __version__
from engine.config import config_layers
from engine.datasets.confirm import confirm
from engine.datasets.locate import cache_folder, is_ready
from engine.lifecycle import UNDER_WAY
from engine.limits import Limits, process_limits
from engine.machine.gpus import VISIBLE, visible_gpus
from engine.machine.slots import unused_gpus_note
from engine.machine.telemetry import Sampler
from engine.store.database import fetch, storage_note
from engine.store.filesystem import filesystem_kind
from engine.store.intake.trash import KEPT_DAYS, deleted_runs, kept_since
from engine.store.queries import list_runs, supervisor_state
from engine.supervisor.start import supervisor_running
from engine.surroundings import expanded, user_name
from tui.cli.doctor.findings import Check, Finding
from tui.cli.doctor.logout import logout_problem
from tui.cli.doctor.store import store_problems
from tui.cli.session import Session
from tui.shell.text import ago, bytes_, count

LEAST_FREE = 2e9
"""Bytes: below it a handful of checkpoints fills the disk."""


def check_versions(session: Session) -> Iterator[Finding]:  # noqa: ARG001 -- all checks take it
    yield Finding("seqbench", "ok", f"{__version__}, Python {platform.python_version()}")
    for package in ("torch", "numpy", "pandas", "textual", "sqlite-utils", "pydantic"):
        try:
            yield Finding(package, "ok", version(package))
        except PackageNotFoundError:
            yield Finding(package, "problem", "is not installed", "Reinstall seqbench with pip.")


def check_gpu(session: Session) -> Iterator[Finding]:
    sampler = Sampler()
    sample = sampler.sample()
    sampler.close()
    for gpu in sample.gpus:
        memory = f", {gpu.memory_total_mib:,.0f} MiB" if gpu.memory_total_mib else ""
        yield Finding("gpu", "ok", f"{gpu.index}: {gpu.name}{memory}")
    if not sample.gpus:
        yield Finding("gpu", "note", f"{sample.gpu_note}; runs train on the CPU")
        return
    usable = visible_gpus({gpu.uuid: gpu.name for gpu in sample.gpus})
    unused = unused_gpus_note(session.catalogue.settings.slots, len(usable.gpus))
    if not usable.gpus:
        yield Finding("gpu", "note", f"{usable.note} Runs train on the CPU.")
        return
    for note in filter(None, (usable.note, unused)):
        yield Finding("gpu", "note", note)
    # A process of its own: CUDA, once begun, holds memory of the GPU until it ends. It is shown
    # what a slot shows: a list that repeats a GPU is none to CUDA.
    asked = subprocess.run(
        [sys.executable, "-c", "import torch; print(torch.cuda.device_count())"],
        env={**os.environ, VISIBLE: usable.gpus[0].visible},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if asked.stdout.strip() in ("", "0"):
        yield Finding(
            "gpu",
            "problem",
            f"torch {version('torch')} can't use the GPU",
            "Install a torch built for the driver's CUDA version: see pytorch.org.",
        )


def check_cpu(session: Session) -> Iterator[Finding]:  # noqa: ARG001
    units = bf16_units(Path("/proc/cpuinfo"))
    bf16 = f"bf16 in hardware ({', '.join(units)})" if units else "no bf16 in hardware: float32"
    limits = process_limits()
    yield Finding("cpu", "ok", f"{cores_text(limits)}, {memory_text(limits)}, {bf16}")


def cores_text(limits: Limits) -> str:
    """Say how many cores there are, and what limits them."""
    cores = count(limits.cores, "core")
    if limits.quota is None:
        return cores
    return f"{cores} ({limits.quota.cores:.3g} by {limits.quota.file})"


def memory_text(limits: Limits) -> str:
    """Say how much memory there is, and what limits it."""
    memory = f"{limits.memory / 2**30:.1f} GiB of memory"
    limit = limits.memory_limit
    return memory if limit is None else f"{memory} (by {limit.file})"


def bf16_units(cpuinfo: Path) -> list[str]:
    """The instruction sets for bf16 that the first core has."""
    try:
        text = cpuinfo.read_text(errors="replace")
    except OSError:
        return []
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    return [unit for unit in ("avx512_bf16", "amx_bf16") if unit in flags]


def check_data(session: Session) -> Iterator[Finding]:
    chosen = os.environ.get("SEQBENCH_DATA")
    if chosen and not expanded(chosen).is_dir():
        yield Finding(
            "data",
            "problem",
            f"SEQBENCH_DATA is {chosen}, which isn't a folder",
            "Set it to the folder that has the data sets, or unset it.",
        )
    cache = cache_folder()
    yield Finding("data", "ok", f"looked for in {f'{chosen}, then ' if chosen else ''}{cache}")
    if not os.access(next(each for each in (cache, *cache.parents) if each.exists()), os.W_OK):
        yield Finding(
            "data",
            "note",
            f"{cache} can't be written: nothing can be fetched, and every run reads its data again",
            "Set SEQBENCH_CACHE to another folder.",
        )
    datasets = session.catalogue.datasets.values()
    ready = [dataset.name for dataset in datasets if is_ready(dataset)]
    absent = [dataset.name for dataset in datasets if not is_ready(dataset)]
    yield Finding("data", "ok", f"ready: {', '.join(ready)}")
    found = {dataset.name: confirm(dataset) for dataset in datasets}
    for copy in found.values():
        if copy is not None and copy.confirmed is False:
            yield Finding("data", "problem", copy.what, f"{copy.cure[:1].upper()}{copy.cure[1:]}.")
    unknown = [name for name, copy in found.items() if copy and copy.confirmed is None]
    if unknown:
        names = ", ".join(unknown)
        yield Finding(
            "data", "note", f"not confirmed, because no md5 of their files is known: {names}"
        )
    if absent:
        yield Finding(
            "data",
            "note",
            f"not here: {', '.join(absent)}",
            f"`seqbench data fetch {absent[0]}` downloads one.",
        )


def check_configuration(session: Session) -> Iterator[Finding]:
    layers = ", then ".join(str(layer) for layer in config_layers(session.config_dir))
    catalogue = session.whole_catalogue
    counts = f"{len(catalogue.models)} models, {len(catalogue.datasets)} data sets"
    yield Finding("config", "ok", f"{counts}, from {layers}")


def check_store(session: Session) -> Iterator[Finding]:
    db = session.location.db
    kind = filesystem_kind(db) or "unknown filesystem"
    if not session.has_store:
        yield Finding("store", "note", f"{db} is not made yet ({kind})", "`seqbench run` makes it.")
    else:
        problems = store_problems(session)
        if not problems:
            with session.reader() as connection:
                mode = fetch(connection, "PRAGMA journal_mode")[0][0]
                runs = fetch(connection, "SELECT count(*) FROM runs")[0][0]
            yield Finding(
                "store", "ok", f"{db}: {count(runs, 'run')}, sound, {kind}, journal mode {mode}"
            )
        for problem in problems:
            text, _, cure = problem.partition(": `seqbench")
            yield Finding("store", "problem", text, f"`seqbench{cure}" if cure else "")
    if slow := storage_note(session.location):
        yield Finding("store", "note", slow)


def check_supervisor(session: Session) -> Iterator[Finding]:
    if not session.has_store:
        yield Finding("supervisor", "ok", "none is needed: there are no runs")
        return
    with session.reader() as connection:
        waiting = len(list_runs(connection, UNDER_WAY))
        last = supervisor_state(connection)
    if supervisor_running(session.location):
        seen = (
            f"process {last.pid} on {last.host}, seen {ago(last.heartbeat)}" if last else "starts"
        )
        yield Finding("supervisor", "ok", f"{seen}; {count(waiting, 'run')} queued or running")
    elif waiting:
        yield Finding(
            "supervisor",
            "problem",
            f"{count(waiting, 'run')} queued or running, but no supervisor is alive",
            f"See {session.location.supervisor_log} for why it ends.",
        )
    else:
        yield Finding("supervisor", "ok", "none is needed: nothing is queued")


def check_logout(session: Session) -> Iterator[Finding]:  # noqa: ARG001
    cgroup = Path("/proc/self/cgroup")
    groups = cgroup.read_text() if cgroup.exists() else ""
    if problem := logout_problem(user_name(), groups):
        yield Finding("logout", "problem", *problem)
    else:
        yield Finding("logout", "ok", "background runs outlive it")


def check_terminal(session: Session) -> Iterator[Finding]:  # noqa: ARG001
    size = shutil.get_terminal_size()
    kind = os.environ.get("TERM") or "not set"
    colour = os.environ.get("COLORTERM") or "not set"
    encoding = (sys.stdout.encoding or "ascii").lower()
    text = f"TERM {kind}, COLORTERM {colour}, {size.columns}×{size.lines}, {encoding}"
    if not sys.stdout.isatty():
        yield Finding("terminal", "note", f"{text}; stdout isn't a terminal")
    elif "utf" not in encoding:
        cure = "Set LANG to a UTF-8 locale, such as C.UTF-8."
        yield Finding("terminal", "problem", f"{text}: charts need Unicode", cure)
    elif size.columns < 80 or size.lines < 24:
        yield Finding("terminal", "note", text, "The app is made for 80×24 and larger.")
    else:
        yield Finding("terminal", "ok", text)


def check_disk(session: Session) -> Iterator[Finding]:
    folder = session.location.db.parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        cure = "Make room, or choose another disk with --db: a full one stops every run."
        yield Finding("disk", "problem", f"only {bytes_(free)} free in {folder}", cure)
    else:
        yield Finding("disk", "ok", f"{bytes_(free)} free in {folder}")


def check_trash(session: Session) -> Iterator[Finding]:
    """Count the runs that were deleted and can still be brought back."""
    found = deleted_runs(session.location)
    text = f"{count(len(found), 'deleted run')}, {bytes_(sum(each.bytes for each in found))}"
    if old := sum(each.when < kept_since() for each in found):
        text += f"; {old:,} of them older than {KEPT_DAYS} days"
        yield Finding("trash", "note", text, "`seqbench db gc` permanently removes these.")
    else:
        yield Finding("trash", "ok", text if found else "empty")


CHECKS: tuple[Check, ...] = (
    check_versions,
    check_gpu,
    check_cpu,
    check_data,
    check_configuration,
    check_store,
    check_supervisor,
    check_logout,
    check_terminal,
    check_disk,
    check_trash,
)
