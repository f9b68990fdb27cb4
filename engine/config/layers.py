"""The layers of configuration: their folders, and merging their YAML."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from engine.config.entries import Settings
from engine.errors import ConfigError, UsageError, shown
from engine.files.named import named_folder, write_named
from engine.surroundings import working_folder
from engine.validation import InvalidError, validate
from engine.yamlfile import Real, YamlDocument, merge_documents, read_yaml

Entry = TypeVar("Entry", bound=BaseModel)
Loaded = dict[str, tuple[Entry, YamlDocument]]
"""The entries by name, each with the document that it was read from."""


class EntryExistsError(UsageError):
    """The user's configuration has an entry of that name; saving needs ``replace``."""

    def __init__(self, kind: str, name: str, path: Path) -> None:
        super().__init__(
            f"there is a {kind} {shown(name)} already, in {path}: give --replace to write it anew."
        )
        self.path = path


def builtin_configs() -> Path:
    """Return the folder of seqbench's own configuration, in the wheel or the checkout."""
    engine = Path(__file__).parent.parent
    packaged = engine / "configs"
    return packaged if packaged.is_dir() else engine.parent / "configs"


def config_layers(extra: Path | None = None) -> list[Path]:
    """Return the folders to read, the lowest layer first.

    Args:
        extra: the value of ``--config-dir``; by default, that of ``SEQBENCH_CONFIG``.

    Raises:
        ConfigError: ``extra`` isn't a folder.
    """
    layers = [builtin_configs()]
    local = working_folder() / "configs"
    if local.is_dir() and local.resolve() != layers[0].resolve():
        layers.append(local)
    if (chosen := _chosen(extra)) is not None:
        if not chosen.is_dir():
            raise ConfigError(f"{chosen} is not a folder: --config-dir takes one like configs/.")
        layers.append(chosen)
    return layers


def model_folders(extra: Path | None = None) -> list[Path]:
    """Return the folders of users' models, each beside one of the users' configuration.

    They may not exist.

    Args:
        extra: as for `config_layers`.

    Raises:
        ConfigError: ``extra`` isn't a folder.
    """
    beside = [layer.absolute().parent / "models" for layer in config_layers(extra)[1:]]
    return list(dict.fromkeys([working_folder() / "models", *beside]))


def user_layer(extra: Path | None = None) -> Path:
    """Return the folder to write the user's configuration to, which may not exist yet.

    Raises:
        ConfigError: ``extra`` isn't a folder.
    """
    config_layers(extra)
    return _chosen(extra) or working_folder() / "configs"


def _chosen(extra: Path | None) -> Path | None:
    from_environment = os.environ.get("SEQBENCH_CONFIG")
    return extra or (Path(from_environment) if from_environment else None)


def user_entry(extra: Path | None, folder: str, kind: str, name: str) -> tuple[Path, bool]:
    """Return the file of an entry in the user's layer, and whether it is there already.

    Args:
        extra: the value of ``--config-dir``.
        folder: of the entry in a layer, such as ``suites``.
        kind: the entry's kind, for sentences.

    Raises:
        ConfigError: ``extra`` isn't a folder, or an entry can't be read.
        UsageError: another layer has an entry of that name, or the file holds another entry.
    """
    own = user_layer(extra) / folder
    for layer in config_layers(extra):
        other = layer / folder
        if other.resolve() != own.resolve() and name in _layer(other):
            raise UsageError(f"{shown(name)} is the name of a {kind} in {other}: choose another.")
    known = _layer(own)
    path = known[name].path if name in known else own / f"{name}.yaml"
    if name not in known and path.exists():
        raise UsageError(f"{path} holds a {kind} with another name: choose another.")
    return path, name in known


def save_entry(
    extra: Path | None, folder: str, kind: str, name: str, text: str, replace: bool = False
) -> Path:
    """Write an entry to the user's layer, and return its file.

    Args:
        text: the entry as YAML.
        replace: overwrite the user's entry of the same name.
        extra, folder, kind, name: as for `user_entry`.

    Raises:
        EntryExistsError: there is one, without ``replace``.
        ConfigError, UsageError: as `user_entry`.
        UserError: the file can't be written.
    """
    path, exists = user_entry(extra, folder, kind, name)
    if exists and not replace:
        raise EntryExistsError(kind, name, path)
    named_folder(path.parent)
    write_named(path, text)
    return path


def invalid_name(kind: str, name: str) -> UsageError:
    """Return an error for a name that no entry of configuration can have."""
    return UsageError(
        f"a {kind}'s name is small letters, digits, '.', '_' and '-', at most 40 of them, "
        f"not {shown(name)}."
    )


def read_entries(
    layers: Sequence[Path],
    folder: str | Sequence[str],
    kind: type[Entry],
    real: Real = float,
    below: Mapping[str, YamlDocument] | None = None,
) -> Loaded[Entry]:
    """Read the entries in a folder of all layers, merged by name. Raises `ConfigError`.

    Args:
        folder: or several, the last of which has the last word within a layer.
        real: as in `read_yaml`.
        below: entries below the lowest layer, by name.
    """
    documents = dict(below or {})
    folders = [folder] if isinstance(folder, str) else folder
    for each in (layer / name for layer in layers for name in folders):
        for name, document in _layer(each, real).items():
            under = documents.get(name)
            documents[name] = merge_documents(under, document) if under else document
    return {name: (_validated(kind, doc), doc) for name, doc in sorted(documents.items())}


def _layer(folder: Path, real: Real = float) -> dict[str, YamlDocument]:
    """Read the entries of one folder, by name. Raises `ConfigError`."""
    documents: dict[str, YamlDocument] = {}
    for path in sorted(folder.glob("[!.]*.y*ml")):
        document = read_yaml(path, real)
        name = document.value.get("name")
        if not isinstance(name, str):
            raise document.error(("name",), "every entry needs a name, as text.")
        if name in documents:
            raise document.error(
                ("name",), f"{documents[name].path} has the name {shown(name)} too."
            )
        documents[name] = document
    return documents


def read_settings(layers: Sequence[Path]) -> Settings:
    """Read ``settings.yaml`` of all layers, merged. Raises `ConfigError`."""
    merged: YamlDocument | None = None
    for layer in layers:
        path = layer / "settings.yaml"
        if path.exists():
            document = read_yaml(path)
            merged = merge_documents(merged, document) if merged else document
    return _validated(Settings, merged) if merged else Settings()


def _validated(kind: type[Entry], document: YamlDocument) -> Entry:
    try:
        return validate(kind, document.value)
    except InvalidError as error:
        raise document.error(error.key_path, error.problem) from None
