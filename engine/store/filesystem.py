"""Which kind of filesystem a path is on, because SQLite's WAL needs shared memory between its
processes, which network filesystems don't give."""

from __future__ import annotations

from pathlib import Path

NETWORK = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.sshfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "orangefs",
        "smb3",
        "smbfs",
        "virtiofs",
        "wekafs",
    }
)


def network_filesystem(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The kind of network filesystem that ``path`` is (or would be) on; ``None`` if it is local."""
    kind = filesystem_kind(path, mounts)
    return kind if kind in NETWORK else None


def filesystem_kind(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The kind of filesystem of the innermost mount that holds ``path``."""
    target = path.resolve()
    best: tuple[int, str] | None = None
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mount = Path(_unescaped(fields[1]))
        depth = len(mount.parts)
        # A later line of the same depth is mounted over the earlier one.
        if target.is_relative_to(mount) and (best is None or depth >= best[0]):
            best = (depth, fields[2])
    return best[1] if best else None


def _unescaped(text: str) -> str:
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        text = text.replace(code, character)
    return text
