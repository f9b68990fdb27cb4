"""Titles of items, from the source's file of titles."""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.datasets.locate import locate
from engine.datasets.ordering import Ids
from engine.datasets.readers.textlines import numbered_lines, open_text
from engine.datasets.readers.unpacking import without_suffix
from engine.errors import DataError
from engine.spec import Dataset

LONGEST_TITLE = 300
"""Characters to which titles are cut."""

_ITEM_KEYS = ("id", "parent_asin", "asin")


def item_titles(dataset: Dataset, item_ids: Ids) -> dict[int, str]:
    """Return the titles of items, by number (1…V). Without a readable file of titles there are
    none, which is no error: no result depends on them.
    """
    located = locate(dataset)
    if located is None or dataset.titles is None:
        return {}
    path = located.folder / dataset.titles
    numbers = {id_text(id_): number for number, id_ in enumerate(item_ids.tolist(), 1)}
    titles: dict[int, str] = {}
    try:
        for item, title in _reader_for(path)(path):
            if item in numbers and title:
                titles[numbers[item]] = title[:LONGEST_TITLE]
    except DataError:
        return titles
    return titles


def id_text(id_: int | bytes) -> str:
    """Return an item's or user's id as the source has it."""
    return str(id_) if isinstance(id_, int) else id_.decode("utf-8", "replace")


def _reader_for(path: Path) -> Callable[[Path], Iterator[tuple[str, str]]]:
    name = without_suffix(path.name)
    if name.endswith((".dat", ".item")):
        return _movielens
    if name.endswith((".json", ".jsonl")):
        return _objects
    return _table


def _movielens(path: Path) -> Iterator[tuple[str, str]]:
    """Read ``id::title::genres`` or ``id|title|…``, in Latin-1 (100K, 1M) or UTF-8 (10M)."""
    separator = "|" if without_suffix(path.name).endswith(".item") else "::"
    for _, line in numbered_lines(path):
        item, _, rest = _decode(line).partition(separator)
        yield item, rest.partition(separator)[0]


def _table(path: Path) -> Iterator[tuple[str, str]]:
    """Read ``movieId,title,genres`` with a header, or any table whose first column is the item."""
    with open_text(path) as file:
        text = _decode(file.read())
    separator = "\t" if without_suffix(path.name).endswith((".tsv", ".txt")) else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = next(rows, [])
        column = header.index("title") if "title" in header else 1
        for row in rows:
            if len(row) > column:
                yield row[0], row[column]
    except csv.Error as error:
        raise DataError(f"{path} is no table ({error}).") from error


def _objects(path: Path) -> Iterator[tuple[str, str]]:
    """Read a JSON or Python literal from each line: Steam's games (``id``, ``app_name`` or
    ``title``), or Amazon's products (``parent_asin`` or ``asin``, ``title``)."""
    for _, line in numbered_lines(path):
        text = _decode(line)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            try:
                found = ast.literal_eval(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
        if isinstance(found, dict):
            item = next((found[key] for key in _ITEM_KEYS if key in found), "")
            yield str(item), str(found.get("app_name") or found.get("title") or "")


def _decode(text: bytes) -> str:
    """Decode UTF-8, or else Latin-1, the encoding of MovieLens 100K and 1M."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")
