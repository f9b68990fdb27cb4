"""Which kind of filesystem a path is on, because SQLite's WAL needs shared memory between its
processes, which network filesystems don't give."""

from __future__ import annotations

from pathlib import Path

NETWORK = frozenset((
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.sshfs", "gpfs",
    "lustre", "ncpfs", "nfs", "nfs4", "orangefs", "smb3", "smbfs", "virtiofs", "wekafs",
))  # fmt: skip


def network_filesystem(path: Path) -> str | None:
    """Return the kind of network filesystem that ``path`` is, or would be, on; ``None`` for a local
    one."""
    kind = filesystem_kind(path)
    return kind if kind in NETWORK else None


def filesystem_kind(path: Path) -> str | None:
    """Return the kind of filesystem of the innermost mount that holds ``path``, such as ``ext4``;
    ``None`` if the mounts can't be read."""
    import psutil  # a fiftieth of a second, which commands that only read the store needn't spend

    target = path.resolve()
    try:
        mounts = psutil.disk_partitions(all=True)
    except OSError:
        return None
    holding = [mount for mount in mounts if target.is_relative_to(mount.mountpoint)]
    # Of two at one place the later one is mounted over the earlier.
    innermost = max(
        reversed(holding), key=lambda mount: len(Path(mount.mountpoint).parts), default=None
    )
    return innermost.fstype if innermost else None
