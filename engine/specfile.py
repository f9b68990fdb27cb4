"""``spec.json``: a run's configuration, written once when its folder is created."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine import __version__
from engine.errors import StoreError
from engine.files.atomic import write_atomically
from engine.files.regular import read_regular
from engine.runfolder import RunFolder
from engine.spec import Name, RunSpec
from engine.spec.imported import ImportedSpec

FORMAT = 1


@dataclass(frozen=True)
class SpecFile:
    """The content of ``spec.json``."""

    format: int
    run: str
    created: float
    suite: str | None
    fingerprint: str
    parameters: int
    spec: dict[str, Any]
    versions: dict[str, str]


def save_spec(
    folder: RunFolder,
    spec: RunSpec | ImportedSpec,
    *,
    run: str | None = None,
    created: float | None = None,
    suite: str | None = None,
    parameters: int = 0,
) -> None:
    """Write ``spec.json`` into an existing folder; ``run`` defaults to the folder's name."""
    save_stored_spec(
        folder,
        spec.model_dump(mode="json"),
        run=run or folder.run_id,
        created=time.time() if created is None else created,
        suite=suite,
        fingerprint=spec.fingerprint(),
        parameters=parameters,
    )


def save_stored_spec(
    folder: RunFolder,
    spec: dict[str, Any],
    *,
    run: str,
    created: float,
    suite: str | None,
    fingerprint: str,
    parameters: int,
) -> None:
    """Do as `save_spec`, of a configuration as it is stored, which another version may have
    written."""
    content = SpecFile(
        FORMAT, run, created, suite, fingerprint, parameters, spec, versions=_versions()
    )
    write_atomically(folder.spec, json.dumps(asdict(content), indent=1) + "\n")


def load_spec(folder: RunFolder) -> RunSpec:
    """Read a run's full configuration.

    Raises:
        StoreError: the file is absent, damaged, or of a newer version.
    """
    return parse_spec(folder, load_spec_file(folder))


def parse_spec(folder: RunFolder, content: SpecFile) -> RunSpec:
    """Return the configuration in ``content``. Raises `StoreError` if it is invalid."""
    return _parsed(folder, content, RunSpec)


def parse_any(folder: RunFolder, content: SpecFile) -> RunSpec | ImportedSpec:
    """Return the configuration of a trained or imported run. Raises `StoreError` if it is
    invalid."""
    if "origin" in content.spec:
        return _parsed(folder, content, ImportedSpec)
    return _parsed(folder, content, RunSpec)


class OtherSpec(BaseModel):
    """What names a run whose configuration another version wrote: it is listed and compared, and
    can't be trained."""

    model_config = ConfigDict(frozen=True)

    model: Name
    dataset: Name
    length: int = Field(ge=2, le=65_536)
    seed: int = Field(ge=0, lt=2**31)
    profile: str
    variant: str = ""
    architecture: dict[str, Any]
    training: dict[str, Any]
    source: dict[str, Any]

    @property
    def recipe(self) -> str:
        """As `RunSpec.recipe`."""
        return f"{self.profile}/{self.variant}" if self.variant else self.profile


def parse_other(folder: RunFolder, content: SpecFile) -> OtherSpec:
    """What names the run of a configuration that `parse_any` refused. Raises `StoreError`."""
    return _parsed(folder, content, OtherSpec)


def load_spec_file(folder: RunFolder) -> SpecFile:
    """Read all of ``spec.json``. Raises `StoreError` like `load_spec`."""
    path = folder.spec
    try:
        content = json.loads(read_regular(path))
        if content["format"] > FORMAT:
            raise StoreError(f"{path} was written by a newer seqbench.")
        return SpecFile(
            format=int(content["format"]),
            run=str(content["run"]),
            created=float(content["created"]),
            suite=None if content["suite"] is None else str(content["suite"]),
            fingerprint=str(content["fingerprint"]),
            parameters=int(content["parameters"]),
            spec=dict(content["spec"]),
            versions=dict(content["versions"]),
        )
    except OSError as error:
        raise StoreError(f"{path} can't be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise StoreError(f"{path} is damaged: it isn't a run's configuration.") from None


Known = TypeVar("Known", RunSpec, ImportedSpec, OtherSpec)


def _parsed(folder: RunFolder, content: SpecFile, kind: type[Known]) -> Known:
    try:
        return kind.model_validate(content.spec)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "spec"
        raise StoreError(f"{folder.spec}: {where}: {first['msg']}.") from None


def _versions() -> dict[str, str]:
    versions = {"seqbench": __version__, "python": platform.python_version()}
    for package in ("torch", "numpy"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
