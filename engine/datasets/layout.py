"""How a file is to be read that becomes a data set: its format, and which columns hold what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.datasets.readers.columns import (
    FIRST_IN_RECBOLE,
    Picked,
    history_beside,
    is_header,
    looks_like_data,
    other_separator,
    pick_columns,
)
from engine.datasets.readers.delimited import Delimited, first_row
from engine.datasets.readers.parquet import is_parquet
from engine.datasets.readers.table import RECBOLE, column_names
from engine.datasets.readers.textlines import PLAIN, Form, open_text
from engine.datasets.readers.unpacking import without_suffix
from engine.errors import UsageError, cut, shown
from engine.spec import Columns
from engine.validation import InvalidError, validate

FORMATS = {
    "csv": ("table", ","),
    "tsv": ("table", "\t"),
    "parquet": ("table", ","),
    "inter": ("recbole", "\t"),
    "jsonl": ("json-lines", ""),
    "pairs": ("pairs", ""),
    "lines": ("lines", ""),
    "movielens-tab": ("movielens-tab", ""),
    "movielens-colons": ("movielens-colons", ""),
    "movielens-csv": ("movielens-csv", ""),
    "steam-reviews": ("steam-reviews", ""),
}
"""Reader and separator of each format, by its name on the command line."""

_SUFFIXES = {"pq": "parquet", "json": "jsonl", "ndjson": "jsonl"} | {
    kind: kind for kind in ("csv", "tsv", "parquet", "inter", "jsonl")
}
"""Format of a file by the end of its name."""

_TABLES = ("table", "recbole", "json-lines")


@dataclass(frozen=True)
class Layout:
    """How a file is read: as it was said, and as it was found."""

    kind: str
    """A key of `FORMATS`."""
    columns: Columns | None = None
    form: Form = PLAIN
    picked: Picked | None = None
    """Of a table: which columns are used, and which are left out."""
    notes: tuple[str, ...] = ()
    """Sentences on what may have been meant otherwise."""


def format_of(path: Path, form: Form = PLAIN) -> str:
    """Tell a file's format by its name. Raises `UsageError` if the name tells none."""
    suffix = without_suffix(path.name).rpartition(".")[2].lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    with open_text(path, form) as file:
        first = file.readline(200).decode("utf-8", "replace").strip()
    raise UsageError(
        f"the name {shown(path.name)} doesn't say what is in it: give --format, one of "
        f"{', '.join(FORMATS)} (its first line is {shown(first)})."
    )


def layout_of(
    path: Path,
    kind: str,
    named: Mapping[str, str | None],
    separator: str | None = None,
    header: bool = True,
    form: Form = PLAIN,
) -> Layout:
    """Find out how to read a file: of a table, which columns hold users, items, times and ratings.

    Args:
        kind: a key of `FORMATS`.
        named: the columns that were named for them: by name, or without a header by position.
        separator: ``None`` for the format's own.

    Raises:
        DataError: the file can't be read.
        UsageError: an option doesn't go with the format, a named column is absent, or no column
            looks like the users or the items.
    """
    reader, usual = FORMATS[kind]
    said = [f"--{part}" for part, name in named.items() if name] if reader not in _TABLES else []
    if not usual or kind == "parquet":
        said += ["--separator"] * (separator is not None)
    if kind == "parquet" and form.encoding is not None:
        said.append("--encoding")
    if kind not in ("csv", "tsv"):
        said += ["--no-header"] * (not header)
    if said:
        verb = "doesn't go" if len(said) == 1 else "don't go"
        raise UsageError(f"{' and '.join(said)} {verb} with {kind}.")
    if reader not in _TABLES:
        return Layout(kind, form=form)
    probed = {"user": "?", "item": "?", "separator": separator or usual or ",", "header": header}
    try:
        probe = validate(Columns, probed)
    except InvalidError:
        raise UsageError(
            "--separator is one to eight characters, none of them a quote, or the word tab."
        ) from None
    names = column_names(path, probe, reader, form)
    table = Delimited(path, probe.separator, header, form)
    text = reader != "json-lines" and not is_parquet(path, form)
    first = first_row(table) if text else []
    if text and not header:
        _check_positions(names, first, named)
    try:
        picked = pick_columns(names, named, recbole=reader == "recbole", lists=not text)
    except UsageError as error:
        raise UsageError(f"{path}: {error}{_hint(first)}") from None
    found = picked.used
    columns: Columns | None = probe.model_copy(update=dict(found))
    if history := history_beside(names, found["item"]):
        if reader != "recbole":
            raise UsageError(
                f"{path} has a history in {shown(history)} next to each item: save it as RecBole's "
                ".inter, which is read that way, or remove that column."
            )
        others = tuple(name for name in picked.left_out if name != history)
        picked = Picked({**found, "history": history}, others)
    if reader == "recbole" and probe.separator == RECBOLE.separator:
        own = FIRST_IN_RECBOLE
        if all(own[part] == name.partition(":")[0] for part, name in found.items()):
            columns = None  # as in RecBole's own data sets
    return Layout(
        kind, columns, form, picked, tuple(_notes(picked, reader, first if header else []))
    )


def _check_positions(
    names: Sequence[str], first: Sequence[str], named: Mapping[str, str | None]
) -> None:
    """Refuse columns of a table without a header that are named otherwise than by position."""
    for part in ("user", "item"):
        if not named.get(part):
            raise UsageError(
                f"without a header, give the columns by position, from 1 to {len(names)}, such as "
                "--user 1 --item 2 --time 4."
            )
    for part, position in named.items():
        if position and position not in names:
            raise UsageError(
                f"--{part} {shown(position)} isn't a column's position: the first row has "
                f"{len(names)}."
            )
    words = [first[names.index(str(named[part]))].strip() for part in ("user", "item")]
    if is_header(words):
        raise UsageError(
            f"the first row names its columns ({', '.join(words)}): leave out --no-header."
        )


def _hint(first: Sequence[str]) -> str:
    """Return what to say if the columns of a text table can't be found."""
    if first and first[0].startswith("{"):
        return " They seem to be JSON: give --format jsonl."
    if separator := other_separator(first):
        return f" They seem to be separated by {separator}: give --separator {separator}."
    if looks_like_data(first):
        return (
            " The first row looks like data: if it isn't a header, give --no-header and "
            "positions, such as --user 1 --item 2 --time 4."
        )
    return ""


def _notes(picked: Picked, reader: str, first: Sequence[str]) -> Iterator[str]:
    if looks_like_data(first):
        row = cut(", ".join(map(shown, first)), 60)
        yield (
            f"The first row, {row}, is read as a header but looks like data: if it is data, "
            "give --no-header, and --user 1 --item 2 ... by position."
        )
    left = picked.left_out
    if not {"time", "history"} & set(picked.used) and left:
        likely = [name for name in left if reader == "recbole" and name.endswith(":float")] or left
        columns = cut(" or ".join(map(shown, likely)), 120)
        yield f"No column of times was found: if {columns} has them, name it with --time."
