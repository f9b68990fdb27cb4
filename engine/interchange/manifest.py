"""An archive's table of contents: which files of which runs, how long, with which SHA-256.

It is the archive's first member, so that a reader knows what must follow before it takes anything.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from engine import __version__
from engine.errors import UserError, shown
from engine.runfolder import RUN_ID

FORMAT = 1
"""Version of the archives that are written; those of a newer version are refused."""

KIND = "seqbench archive"
NAME = "manifest.json"
MOST_BYTES = 256 * 1024 * 1024
"""Size limit of a manifest in bytes, enough for hundreds of thousands of runs."""

KEPT = re.compile(
    r"spec\.json|meta\.json|log\.txt|model\.py|test_(ranks|users|top|top_masked)\.npy"
    r"|journal-(0|[1-9]\d{0,8})\.jsonl|evaluation-[a-z][a-z-]{0,39}\.(json|npy)|results\.json"
)
"""Files of a run that every archive holds."""
WEIGHTS = re.compile(r"model\.pt|checkpoint-(0|[1-9]\d{0,8})(\.before)?\.pt")
"""Files of a run that an archive holds on request."""

CODE = "model.py"
"""The file of a run's model, if that doesn't come with seqbench."""

NEEDED = ("spec.json", "meta.json")
READ_WHOLE = 16 * 1024 * 1024
"""Size limit in bytes of the files in `NEEDED`, which are read at once."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ArchiveError(UserError):
    """An archive can't be read or written. Nothing was changed."""


@dataclass(frozen=True)
class Entry:
    """Size and checksum of one file."""

    bytes: int
    sha256: str


Files = dict[str, Entry]
"""The files of one run, by name."""


@dataclass(frozen=True)
class Manifest:
    """The files of an archive, by run id, in the order in which they follow."""

    runs: dict[str, Files]
    seqbench: str = __version__

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(entry.bytes for files in self.runs.values() for entry in files.values())

    def text(self) -> str:
        """Return the manifest as JSON; equal content gives equal text."""
        content = {
            "kind": KIND,
            "format": FORMAT,
            "seqbench": self.seqbench,
            "runs": {
                run: {name: asdict(entry) for name, entry in files.items()}
                for run, files in self.runs.items()
            },
        }
        return json.dumps(content, indent=1) + "\n"


def read_manifest(text: bytes) -> Manifest:
    """Parse a manifest and check everything that it says.

    Raises:
        ArchiveError: it is damaged, a newer seqbench wrote it, or it names a file that no archive
            of ours holds.
    """
    try:
        content = json.loads(text)
        if content["kind"] != KIND:
            raise ArchiveError(f"it holds {shown(content['kind'])}, not a {KIND}")
        version = content["format"]
        if type(version) is not int or version < 1:
            raise ArchiveError("its manifest is damaged")
        if version > FORMAT:
            raise ArchiveError(
                f"it was written by a newer seqbench (format {version}): import it with that one"
            )
        runs = {str(run): _files(run, files) for run, files in content["runs"].items()}
        return Manifest(runs, str(content["seqbench"])[:80])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ArchiveError("its manifest is damaged") from None


def _files(run: str, files: dict[str, Any]) -> Files:
    if not RUN_ID.fullmatch(run) or ".." in run:
        raise ArchiveError(f"{shown(run)} isn't a run's id")
    found: Files = {}
    for name, entry in files.items():
        size, sha256 = entry["bytes"], entry["sha256"]
        if not (KEPT.fullmatch(name) or WEIGHTS.fullmatch(name)):
            raise ArchiveError(f"{shown(name)} isn't one of a run's files")
        if type(size) is not int or size < 0 or not _SHA256.fullmatch(sha256):
            raise ArchiveError("its manifest is damaged")
        if name in NEEDED and size > READ_WHOLE:
            raise ArchiveError(f"{name} of {run} is {size:,} bytes long, which is no {name}'s size")
        found[name] = Entry(size, sha256)
    if missing := [name for name in NEEDED if name not in found]:
        raise ArchiveError(f"{run} has no {missing[0]} in it")
    return found
