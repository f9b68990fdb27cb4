"""Which columns of a table hold users, items, times and ratings: as named, or by usual names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from engine.errors import UsageError, cut, did_you_mean, shown

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "user": (
        "user", "user_id", "userid", "uid", "username", "reviewerid", "visitorid", "customer_id",
        "customerid", "session_id", "sessionid",
    ),
    "item": (
        "item", "item_id", "itemid", "iid", "movieid", "product_id", "productid", "parent_asin",
        "asin", "business_id",
    ),
    "time": (
        "time", "timestamp", "ts", "date", "datetime", "unixreviewtime", "unix_review_time",
    ),
    "rating": ("rating", "stars", "overall", "score"),
}  # fmt: skip
"""Names that columns have in the data sets of the field, in small letters, the likeliest first."""

_USUAL_OF_LISTS: dict[str, tuple[str, ...]] = {
    "item": ("items", "item_ids", "item_id_list", "item_list", "sequence", "history"),
    "time": ("times", "timestamps", "timestamp_list", "time_list"),
    "rating": ("ratings", "rating_list"),
}
"""Names of columns that hold a list a row."""

FIRST_IN_RECBOLE = {"user": "user_id", "item": "item_id", "time": "timestamp", "rating": "rating"}
"""Names of RecBole's own data sets, which come before the other usual ones in its files."""

_SEPARATORS = {"\t": "tab", ";": "';'", "|": "'|'", "::": "'::'", ",": "','"}
_NUMBER_OR_DATE = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?|\d{4}-\d\d?-\d\d?([T ].*)?")


@dataclass(frozen=True)
class Picked:
    """The columns of a table that are used, by what they hold, and the names of the others."""

    used: Mapping[str, str]
    left_out: tuple[str, ...]


def pick_columns(
    names: Sequence[str],
    named: Mapping[str, str | None],
    *,
    recbole: bool = False,
    lists: bool = False,
) -> Picked:
    """Choose columns: those in ``named``, the others by their usual names.

    Args:
        recbole: names are ``name:type``, and may be named without the type.
        lists: columns may hold lists, and have the usual names of such.

    Raises:
        UsageError: a named column is absent, there twice or one of lists, or no column looks like
            the users or the items.
    """
    bare = [name.partition(":")[0] if recbole else name for name in names]
    used: dict[str, str] = {}
    for part, usual in USUAL_NAMES.items():
        wanted = named.get(part)
        if wanted is not None:
            used[part] = _named(names, bare, wanted)
            continue
        likely = (FIRST_IN_RECBOLE[part], *usual) if recbole else usual
        likely += _USUAL_OF_LISTS.get(part, ()) if lists else ()
        if (found := _usual(names, bare, likely)) is not None:
            used[part] = found
        elif part in ("user", "item"):
            known = cut(", ".join(map(shown, names)), 200)
            raise UsageError(
                f"none of the columns {known} looks like the {part}: name it with --{part}."
            )
    for name in used.values():
        if list(names).count(name) > 1:
            raise UsageError(f"there are two columns {shown(name)}: give one of them another name.")
        if recbole and name.endswith("_seq"):
            raise UsageError(f"column {shown(name)} holds lists: name one with single values.")
    return Picked(used, tuple(name for name in names if name not in used.values()))


def is_header(words: Iterable[str]) -> bool:
    """Whether a line names columns where none need to be named: all its words are usual names,
    first one of users, then of items."""
    items = (*USUAL_NAMES["item"], *_USUAL_OF_LISTS["item"])
    usual = chain([USUAL_NAMES["user"]], repeat(items))
    return all(word.lower() in known for word, known in zip(words, usual, strict=False))


def looks_like_data(first_row: Sequence[str]) -> bool:
    """Whether a row holds a number or a date, as no row of names does; but 0, 1, 2 … are the names
    that pandas gives to columns without any."""
    if list(first_row) == [str(place) for place in range(len(first_row))]:
        return False
    return any(_NUMBER_OR_DATE.fullmatch(cell.strip()) for cell in first_row)


def other_separator(first_row: Sequence[str]) -> str | None:
    """Return the separator that seems to divide a row which was read as a single cell, as one says
    it; ``None`` if none does."""
    if len(first_row) != 1:
        return None
    return next((said for mark, said in _SEPARATORS.items() if mark in first_row[0]), None)


def history_beside(names: Sequence[str], item: str) -> str | None:
    """Return the column that holds the histories before the items of another one, as RecBole names
    it: ``item_id_list:token_seq`` beside ``item_id:token``."""
    wanted = f"{item.partition(':')[0]}_list"
    return next((name for name in names if name.partition(":")[0] == wanted), None)


def which_column(wrong: str, names: Sequence[str]) -> str:
    """Return the tail of an error sentence: the column that may be meant, or all of them."""
    return cut(did_you_mean(wrong, [" ".join(name.split()) for name in names]), 400)


def _named(names: Sequence[str], bare: Sequence[str], wanted: str) -> str:
    for known in (names, bare):
        if wanted in known:
            return names[list(known).index(wanted)]
    raise UsageError(f"there is no column {shown(wanted)}: {which_column(wanted, names)}")


def _usual(names: Sequence[str], bare: Sequence[str], usual: Sequence[str]) -> str | None:
    lowered = {
        name.lower(): full for name, full in zip(reversed(bare), reversed(names), strict=True)
    }
    return next((lowered[each] for each in usual if each in lowered), None)
