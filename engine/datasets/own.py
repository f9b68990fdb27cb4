"""Data sets that users define: from a file, or from a known set with another filter or split."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import yaml

from engine.config import Catalogue, user_entry
from engine.datasets.layout import FORMATS, Layout
from engine.datasets.load import prepare, source_files
from engine.datasets.locate import cache_folder, md5_of
from engine.datasets.ordering import Ids
from engine.datasets.prepared import Prepared
from engine.datasets.splitting.splits import data_checksum, split_data
from engine.errors import DataError, UsageError, shown
from engine.files.atomic import atomic_file
from engine.files.named import named_folder, write_named
from engine.spec import Dataset, Filter, Size, SplitRule
from engine.surroundings import refuse_undecodable
from engine.validation import InvalidError, validate

MEDIUM, LARGE = 300_000, 3_000_000
"""Fewest interactions of a data set of size medium (as MovieLens 1M) and large (as 10M)."""


BY_TIME = (
    "The file has times, so it is split by them: what is later than 90 % of all interactions is "
    "for test, and each user's every interaction there is ranked. With --split leave-one-out, each "
    "user's last two are held out instead."
)


@dataclass(frozen=True)
class Draft:
    """A data set that is prepared but not saved yet."""

    dataset: Dataset
    prepared: Prepared
    sources: tuple[Path, ...]
    """The file that it is made from, or those of training, validation and test."""
    layout: Layout | None = None
    """How they are read, of files that are new."""


def draft_of_files(
    paths: Sequence[Path],
    name: str,
    layout: Layout,
    rule: Filter,
    split: SplitRule | None,
    title: str = "",
) -> Draft:
    """Draft a data set from a file, which is read completely; or from those of training, validation
    and test, whose split is then that of the files.

    Args:
        split: ``None`` for a split by time if the file has times, else leave-one-out.

    Raises:
        UsageError: ``name`` is no valid name, or two files have one name, or one that isn't UTF-8.
        DataError: a file can't be read or is malformed, or the filter leaves nothing.
    """
    files: dict[str, str | None] = {}
    for path in paths:
        refuse_undecodable(Path(path.name))
        if path.name in files:
            raise UsageError(
                f"two of the files are called {shown(path.name)}: give them different names."
            )
        try:
            with path.open("rb") as file:
                files[path.name] = md5_of(file)
        except OSError as error:
            raise DataError(f"{path} can't be read: {error.strerror}.") from error
    plain_title = "".join(letter for letter in title if letter.isprintable())
    content: dict[str, Any] = {
        "name": name,
        "title": plain_title or name,
        "size": "small",
        "reader": FORMATS[layout.kind][0],
        "columns": layout.columns,
        "encoding": layout.form.encoding,
        "packing": layout.form.packing,
        "filter": rule,
        "split": split or SplitRule(),
        "users": 1,
        "items": 1,
        "interactions": 1,
        "folder": name,
        "files": files,
    }
    try:
        dataset = validate(Dataset, content)
    except InvalidError as error:
        if error.key_path in (("name",), ("folder",)):
            raise UsageError(
                "a data set's name is small letters, digits, '.', '_' and '-', at most 40 of "
                f"them, not {shown(name)}."
            ) from None
        raise UsageError(error.sentence) from None
    prepared = prepare(dataset, *paths)
    if not (_is_utf8(prepared.user_ids) and _is_utf8(prepared.item_ids)):
        note = "Some ids aren't valid UTF-8: give the --encoding of the file, such as latin-1."
        layout = replace(layout, notes=(*layout.notes, note))
    if split is None and (by_time := _by_time(dataset, prepared)):
        dataset = by_time
        layout = replace(layout, notes=(*layout.notes, BY_TIME))
    return Draft(_counted(dataset, prepared), prepared, tuple(paths), layout)


def _by_time(dataset: Dataset, prepared: Prepared) -> Dataset | None:
    """Return a data set with a split by time; ``None`` if it can't have one: there are no times, or
    too few users with something to rank."""
    by_time = dataset.model_copy(update={"split": SplitRule(kind="temporal")})
    try:
        split_data(prepared.interactions, by_time)
    except DataError:
        return None
    return by_time


def draft_of_set(base: Dataset, name: str, rule: Filter, split: SplitRule, title: str) -> Draft:
    """Draft a data set from a known one, with another filter, split and name.

    Raises:
        UsageError: the known one is synthetic, or ``name`` is no valid name.
        DataError: its file isn't here, or the filter leaves nothing.
    """
    if base.synthetic is not None:
        raise UsageError(f"{base.name} is generated: change its settings in a YAML of your own.")
    paths = source_files(base)
    content = base.model_dump() | {
        "name": name,
        "title": title or f"{base.title}, {name}",
        "aliases": (),
        "optional": False,
        "filter": rule.model_dump(),
        "split": split.model_dump(),
    }
    try:
        dataset = validate(Dataset, content)
    except InvalidError as error:
        raise UsageError(error.sentence) from None
    prepared = prepare(dataset, *paths)
    return Draft(_counted(dataset, prepared, base.size), prepared, paths)


def save_draft(
    catalogue: Catalogue,
    draft: Draft,
    extra: Path | None = None,
    *,
    file: Literal["copied", "in-place", "stays"] = "copied",
    replace: bool = False,
) -> Path:
    """Save a draft as a data set of the catalogue, and return its YAML file.

    Args:
        extra: the value of ``--config-dir``.
        file: ``copied`` into the cache; read ``in-place``; or, of a known data set, it ``stays``
            where that is located.
        replace: overwrite a data set of the same name that was saved before.

    Raises:
        UsageError: the name is taken, or files ``in-place`` lie in several folders, or in one whose
            name isn't UTF-8.
        DataError: the file can't be copied.
        UserError: the YAML can't be written.
    """
    dataset = draft.dataset
    path = _free_path(catalogue, dataset.name, extra, replace)
    if file == "copied":
        for source in draft.sources:
            _copy(source, cache_folder() / str(dataset.folder))
    elif file == "in-place":
        folders = {source.resolve().parent for source in draft.sources}
        if len(folders) > 1:
            raise UsageError("--in-place needs all files in one folder: copy them into one.")
        refuse_undecodable(folder := folders.pop())
        dataset = dataset.model_copy(update={"local": str(folder)})
    named_folder(path.parent)
    write_named(path, dataset_yaml(dataset))
    return path


def dataset_yaml(dataset: Dataset) -> str:
    """Write the data set as YAML, which reads back as an equal one."""
    content = dataset.model_dump(mode="json", exclude_defaults=True)
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    return text


def size_of(interactions: int) -> Size:
    """Return the size of a data set with this many interactions."""
    if interactions < MEDIUM:
        return "small"
    return "medium" if interactions < LARGE else "large"


def _is_utf8(ids: Ids) -> bool:
    try:
        b"".join(ids.tolist()).decode()
    except TypeError:  # whole numbers
        return True
    except UnicodeDecodeError:
        return False
    return True


def _counted(dataset: Dataset, prepared: Prepared, size: Size | None = None) -> Dataset:
    """Fill in the counts of the prepared data."""
    own = prepared.interactions
    return dataset.model_copy(
        update={
            "users": own.num_users,
            "items": own.num_items,
            "interactions": len(own.items),
            "unconfirmed": tuple(each for each in dataset.unconfirmed if each == "checksum"),
            "size": size or size_of(len(own.items)),
            "interactions_sha256": data_checksum(own, dataset),
        }
    )


def _free_path(catalogue: Catalogue, name: str, extra: Path | None, replace: bool) -> Path:
    """Return the file to write. Raises `UsageError` if the name is taken, but for a data set of the
    user's own that may be replaced."""
    path, exists = user_entry(extra, "datasets", "data set", name)
    for other in catalogue.datasets.values():
        if other.name != name and name in {alias.lower() for alias in other.aliases}:
            raise UsageError(f"{shown(name)} is another name of {other.name}: choose another.")
    if exists and not replace:
        raise UsageError(
            f"there is a data set {shown(name)} already, in {path}: choose another name, or "
            "give --replace."
        )
    return path


def _copy(source: Path, folder: Path) -> None:
    target = folder / source.name
    with suppress(OSError):
        if target.exists() and target.samefile(source):
            return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as file, atomic_file(target) as copied:
            shutil.copyfileobj(file, copied, 2**22)
    except OSError as error:
        raise DataError(
            f"{source} can't be copied to {folder} ({error.strerror or error}): make room there, "
            "set SEQBENCH_CACHE to another folder, or give --in-place."
        ) from error
