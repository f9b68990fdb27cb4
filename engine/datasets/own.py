"""Data sets that users define: from a file, or from a known set with another filter or split."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from engine.atomic import atomic_file
from engine.config import Catalogue, user_entry
from engine.datasets.load import prepare, source_files
from engine.datasets.locate import cache_folder, md5_of
from engine.datasets.prepared import Prepared
from engine.datasets.readers.table import column_names
from engine.datasets.splits import data_checksum
from engine.errors import DataError, UsageError, did_you_mean, shown
from engine.named import named_folder, write_named
from engine.spec import Columns, Dataset, Filter, Size, SplitRule
from engine.validation import InvalidError, validate

MEDIUM, LARGE = 300_000, 3_000_000
"""Fewest interactions of a data set of size medium (as MovieLens 1M) and large (as 10M)."""

FORMATS = {
    "csv": ("table", ","),
    "tsv": ("table", "\t"),
    "parquet": ("table", ","),
    "inter": ("recbole", ""),
    "pairs": ("pairs", ""),
    "lines": ("lines", ""),
    "movielens-tab": ("movielens-tab", ""),
    "movielens-colons": ("movielens-colons", ""),
    "movielens-csv": ("movielens-csv", ""),
    "steam-reviews": ("steam-reviews", ""),
}
"""Reader and separator of each format, by its name on the command line."""

_USUAL_NAMES = {
    "user": ("user", "user_id", "userid", "uid", "username", "reviewerid", "visitorid"),
    "item": ("item", "item_id", "itemid", "iid", "movieid", "product_id", "asin", "parent_asin"),
    "time": ("time", "timestamp", "ts", "date", "datetime", "unixreviewtime", "unix_review_time"),
    "rating": ("rating", "stars", "overall", "score"),
}


@dataclass(frozen=True)
class Draft:
    """A data set that is prepared but not saved yet."""

    dataset: Dataset
    prepared: Prepared
    sources: tuple[Path, ...]
    """The file that it is made from, or those of training, validation and test."""


def format_of(path: Path) -> str:
    """Tell a file's format by its name. Raises `UsageError` if the name tells none."""
    suffix = path.name.removesuffix(".gz").rpartition(".")[2].lower()
    if suffix in ("csv", "tsv", "parquet", "inter"):
        return suffix
    raise UsageError(
        f"the name {shown(path.name)} doesn't tell what is in it: "
        f"say --format, one of {', '.join(FORMATS)}."
    )


def guess_columns(path: Path, separator: str, named: Mapping[str, str | None]) -> Columns:
    """Choose a table's columns: those in ``named``, the others by the usual names.

    Raises:
        DataError: the file can't be read.
        UsageError: a named column is absent, or no column looks like the users or the items.
    """
    names = column_names(path, Columns(user="?", item="?", separator=separator))
    lowered = {name.lower(): name for name in reversed(names)}
    found: dict[str, str] = {}
    for part, usual in _USUAL_NAMES.items():
        wanted = named.get(part)
        if wanted is not None:
            if wanted not in names:
                raise UsageError(
                    f"{path} has no column {shown(wanted)}: {did_you_mean(wanted, names)}"
                )
            found[part] = wanted
        elif guessed := next((lowered[each] for each in usual if each in lowered), None):
            found[part] = guessed
        elif part in ("user", "item"):
            raise UsageError(
                f"none of the columns {', '.join(names)[:200]} looks like the {part}: "
                f"name it with --{part}."
            )
    if (histories := f"{found['item']}_list") in names:
        raise UsageError(
            f"{path} has a history in {shown(histories)} beside each item: save it as RecBole's "
            ".inter, which is read so, or leave that column out."
        )
    return Columns(separator=separator, **found)


def draft_of_files(
    paths: Sequence[Path],
    name: str,
    kind: str,
    columns: Columns | None,
    rule: Filter,
    split: SplitRule,
    title: str = "",
) -> Draft:
    """Draft a data set from a file, which is read completely; or from those of training, validation
    and test, whose split is then that of the files.

    Args:
        kind: a key of `FORMATS`.

    Raises:
        UsageError: ``name`` is no valid name, or two files have one name.
        DataError: a file can't be read or is malformed, or the filter leaves nothing.
    """
    reader = FORMATS[kind][0]
    files: dict[str, str | None] = {}
    for path in paths:
        if path.name in files:
            raise UsageError(
                f"two of the files are called {shown(path.name)}: give them names of their own."
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
        "reader": reader,
        "columns": columns,
        "filter": rule,
        "split": SplitRule(kind="given") if len(paths) > 1 else split,
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
    return Draft(_counted(dataset, prepared), prepared, tuple(paths))


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
        UsageError: the name is taken, or files ``in-place`` lie in several folders.
        DataError: the file can't be copied.
        UserError: the YAML can't be written.
    """
    dataset = draft.dataset
    path = _free_path(catalogue, dataset.name, extra, replace)
    if file == "copied":
        for source in draft.sources:
            _copy(source, cache_folder() / str(dataset.folder))
    elif file == "in-place":
        folders = {str(source.resolve().parent) for source in draft.sources}
        if len(folders) > 1:
            raise UsageError("--in-place needs all files in one folder: copy them into one.")
        dataset = dataset.model_copy(update={"local": folders.pop()})
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


def _counted(dataset: Dataset, prepared: Prepared, size: Size | None = None) -> Dataset:
    """Fill in the counts of the prepared data."""
    own = prepared.interactions
    return dataset.model_copy(
        update={
            "users": own.num_users,
            "items": own.num_items,
            "interactions": len(own.items),
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
            raise UsageError(f"{shown(name)} is another name of {other.name}: take another.")
    if exists and not replace:
        raise UsageError(
            f"there is a data set {shown(name)} already, in {path}: take another name, "
            "or say --replace."
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
            "name another folder in SEQBENCH_CACHE, or say --in-place."
        ) from error
