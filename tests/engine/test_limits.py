"""What a process may use, from made-up trees of control groups of either version, and both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.limits import Limits, MemoryLimit, memory_used, process_limits

MIB = 2**20
CORES = frozenset(range(64))
MACHINE = 256 * 1024 * MIB


@dataclass
class Tree:
    """The files of ``/proc`` and ``/sys`` below a folder."""

    root: Path

    def write(self, path: str, text: str) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def mounts(self, *lines: str) -> None:
        first = "22 1 0:21 / /proc rw - proc proc rw"
        self.write("/proc/self/mountinfo", "\n".join((first, *lines)) + "\n")

    def groups(self, *lines: str) -> None:
        self.write("/proc/self/cgroup", "\n".join(lines) + "\n")

    def limits(self, cores: frozenset[int] = CORES) -> Limits:
        return process_limits(self.root, cores, MACHINE)


TWO = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"


def one(controllers: str, top: str = "/") -> str:
    return f"35 31 0:32 {top} /sys/fs/cgroup/{controllers} rw - cgroup cgroup rw,{controllers}"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_container_of_half_a_core_sees_its_own_group_only(tree: Tree) -> None:
    tree.mounts(TWO)
    tree.groups("0::/")
    tree.write("/sys/fs/cgroup/cpu.max", "50000 100000\n")
    tree.write("/sys/fs/cgroup/memory.max", f"{700 * MIB}\n")
    tree.write("/sys/fs/cgroup/memory.current", f"{600 * MIB}\n")
    tree.write("/sys/fs/cgroup/memory.stat", f"anon 1\ninactive_file {450 * MIB}\n")
    tree.write("/sys/fs/cgroup/cpu.stat", "usage_usec 2500000\nuser_usec 1\n")
    limits = tree.limits()
    assert (limits.cores, limits.memory) == (1, 700 * MIB)
    assert limits.quota is not None
    assert limits.quota.cores == 0.5
    assert limits.quota.file == tree.root / "sys/fs/cgroup/cpu.max"
    assert limits.quota.used_seconds() == 2.5
    assert limits.memory_limit is not None
    assert limits.memory_limit.file == tree.root / "sys/fs/cgroup/memory.max"
    assert limits.memory_limit.used_bytes() == 150 * MIB


def test_the_same_of_version_one_whose_use_is_counted_elsewhere(tree: Tree) -> None:
    tree.mounts(one("cpu"), one("cpuacct"), one("memory", "/docker/4f"))
    tree.groups("4:memory:/docker/4f", "2:cpuacct:/", "1:cpu:/lab/job", "0::/")
    tree.write("/sys/fs/cgroup/cpu/lab/job/cpu.cfs_quota_us", "250000\n")
    tree.write("/sys/fs/cgroup/cpu/lab/job/cpu.cfs_period_us", "100000\n")
    tree.write("/sys/fs/cgroup/cpuacct/lab/job/cpuacct.usage", "1500000000\n")
    tree.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", f"{900 * MIB}\n")
    tree.write("/sys/fs/cgroup/memory/memory.usage_in_bytes", f"{500 * MIB}\n")
    tree.write("/sys/fs/cgroup/memory/memory.stat", f"total_inactive_file {100 * MIB}\n")
    limits = tree.limits()
    assert (limits.cores, limits.memory) == (3, 900 * MIB)
    assert limits.quota is not None
    assert limits.quota.cores == 2.5
    assert limits.quota.used_seconds() == 1.5
    assert limits.memory_limit is not None
    assert limits.memory_limit.used_bytes() == 400 * MIB


def test_a_limit_above_the_machine_is_none(tree: Tree) -> None:
    tree.mounts(one("memory"), one("cpu,cpuacct"))
    tree.groups("3:cpu,cpuacct:/", "4:memory:/")
    tree.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    tree.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "400000\n")
    tree.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    limits = tree.limits(frozenset({3, 5}))
    assert limits == Limits(cores=2, memory=MACHINE, allowed=frozenset({3, 5}))


def test_affinity_and_quota_hold_together(tree: Tree) -> None:
    tree.mounts(TWO)
    tree.groups("0::/")
    tree.write("/sys/fs/cgroup/cpu.max", "150000 100000")
    assert tree.limits(frozenset({7})).cores == 1
    assert tree.limits(frozenset({7})).quota is None
    assert tree.limits(frozenset({7, 8, 9})).cores == 2


def test_a_group_that_is_slowed_down_from_some_memory_on_has_that_much(tree: Tree) -> None:
    tree.mounts(TWO)
    tree.groups("0::/unit")
    tree.write("/sys/fs/cgroup/memory.max", f"{900 * MIB}")
    tree.write("/sys/fs/cgroup/unit/memory.max", "max")
    tree.write("/sys/fs/cgroup/unit/memory.high", f"{800 * MIB}")
    limits = tree.limits()
    assert limits.memory_limit is not None
    assert limits.memory_limit.file == tree.root / "sys/fs/cgroup/unit/memory.high"


def test_a_mount_point_with_a_space_is_found(tree: Tree) -> None:
    tree.mounts(TWO.replace("/sys/fs/cgroup", r"/odd\040place"))
    tree.groups("0::/a:b")
    tree.write("/odd place/a:b/cpu.max", "200000 100000")
    assert tree.limits().cores == 2


def test_without_proc_the_machine_counts(tree: Tree) -> None:
    assert tree.limits() == Limits(cores=64, memory=MACHINE, allowed=CORES)
    tree.write("/proc/self/mountinfo", "\0\n- cgroup2\n1 2 3 - cgroup2\n")
    tree.write("/proc/self/cgroup", "nonsense\n0::\n:::\n")
    assert tree.limits() == Limits(cores=64, memory=MACHINE, allowed=CORES)


def test_memory_in_use_is_of_the_limit_s_group(tmp_path: Path) -> None:
    (tmp_path / "memory.current").write_text("500\n")
    limit = MemoryLimit(700, tmp_path / "memory.max")
    assert memory_used(Limits(1, 700, frozenset({0}), None, limit)) == 500
    (tmp_path / "memory.stat").write_text("inactive_file 100\n")
    assert memory_used(Limits(1, 700, frozenset({0}), None, limit)) == 400
    (tmp_path / "memory.current").write_text("nonsense\n")
    assert memory_used(Limits(1, 700, frozenset({0}), None, limit)) == 700, "no more than there is"


def test_this_process_has_limits() -> None:
    limits = process_limits()
    assert 1 <= limits.cores <= len(limits.allowed)
    assert limits.memory > 0


ODD = st.sampled_from(["", "max", "-1", "0", "ten", "1e9", "-5 9", "max 100000", "٣", "9" * 30])


@dataclass(frozen=True)
class Level:
    """A group's limits: millicores and MiB; text that is no limit, or a file that isn't there."""

    quota: int | str | None
    memory: int | str | None


amounts = st.one_of(st.none(), ODD, st.integers(1, 100_000))
chains = st.lists(st.builds(Level, amounts, amounts), min_size=1, max_size=5)


@given(
    chains=st.fixed_dictionaries({}, optional={"2": chains, "cpu": chains, "memory": chains}),
    seen_from=st.integers(0, 5),
    name_known=st.booleans(),
    cores=st.integers(1, 128),
)
def test_the_smallest_of_all_groups_above_holds(
    chains: dict[str, list[Level]], seen_from: int, name_known: bool, cores: int
) -> None:
    """Of any chain of groups, of either version or both, whose top part may be hidden."""
    quotas, memories = [math.inf], [math.inf]
    with TemporaryDirectory() as folder:
        tree = Tree(Path(folder))
        mounts, groups = [], []
        for kind, levels in chains.items():
            hidden = min(seen_from, len(levels) - 1)
            parts = [f"g{number}" for number in range(1, len(levels))]
            top, own = "/" + "/".join(parts[:hidden]), "/" + "/".join(parts)
            if not name_known:  # a namespace: the group that is seen first is called /
                top, own = "/", "/" + "/".join(parts[hidden:])
            point = f"/sys/fs/cgroup/{kind}"
            about = "cgroup2 cgroup2 rw" if kind == "2" else f"cgroup cgroup rw,{kind}"
            mounts.append(f"31 23 0:28 {top} {point} rw shared:9 - {about}")
            groups.append(f"0::{own}" if kind == "2" else f"4:{kind}:{own}")
            for number, level in enumerate(levels[hidden:]):
                place = "/".join((point, *parts[hidden : hidden + number]))
                write_level(tree, place, kind, level)
                if kind != "memory" and isinstance(level.quota, int):
                    quotas.append(level.quota / 1000)
                if kind != "cpu" and isinstance(level.memory, int):
                    memories.append(level.memory * MIB)
        tree.mounts(*mounts)
        tree.groups(*groups)
        limits = tree.limits(frozenset(range(cores)))
    assert limits.cores == math.ceil(min(cores, *quotas))
    assert limits.memory == min(MACHINE, min(memories))
    assert (limits.quota is not None) == (min(quotas) < cores)
    assert (limits.memory_limit is not None) == (min(memories) < MACHINE)


def write_level(tree: Tree, place: str, kind: str, level: Level) -> None:
    tree.write(f"{place}/cgroup.procs", "")
    quota, memory = level.quota, level.memory
    if kind != "memory" and quota is not None:
        text = str(quota * 100) if isinstance(quota, int) else quota
        if kind == "2":
            tree.write(f"{place}/cpu.max", f"{text} 100000\n" if isinstance(quota, int) else text)
        else:
            tree.write(f"{place}/cpu.cfs_quota_us", text)
            tree.write(f"{place}/cpu.cfs_period_us", "100000\n")
    if kind != "cpu" and memory is not None:
        name = "memory.max" if kind == "2" else "memory.limit_in_bytes"
        tree.write(f"{place}/{name}", str(memory * MIB) if isinstance(memory, int) else memory)
