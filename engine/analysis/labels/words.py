"""Names for cells that share a model, a data set and a length: the fewest words that tell each
from the others.

A word is a setting (``lr=0.0005``), a condition (``split temporal``), or the recipe, which leads
where the cells have several. What a recipe gives by itself is never named, so that a cell that has
only that is called by its recipe alone, and one that needs a name for all in which it departs from
it (as no fewer words are true of it only) is named by all of that. The one cell of a recipe that
also has the split and the filter that data have by themselves is called by the recipe alone too,
where it would need more than one word. Digests stand where nothing else tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.cell import Cell


@dataclass(frozen=True, slots=True)
class Described:
    """A cell, and what is known of how its runs were made."""

    cell: Cell
    settings: Mapping[str, str] = field(default_factory=dict)
    """Values as text, by name; the most telling first."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Such as the split and the protocol, by name."""
    recipe: Mapping[str, str] | None = None
    """The settings that its recipe gives; None if that isn't known."""
    plain: bool = False
    """Whether data are filtered and split as they are where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What may be said of a cell among those of its place."""

    profile: str
    own: tuple[str, ...]
    """Settings that vary in the place and that the recipe doesn't give; all that vary if it isn't
    known what the recipe gives."""
    conditions: tuple[str, ...]
    digest: str
    """Of all settings."""
    has_recipe: bool


def length_title(model: str, length: int | str) -> str:
    """Return the name of a model at a length, such as ``sasrec L50``."""
    return f"{model} L{length}"


def cell_title(cell: Cell, label: str) -> str:
    """Return the name of a cell on its data set, such as ``sasrec L50 lr=0.0005``."""
    return f"{length_title(cell.model, cell.length)} {label}".rstrip()


def cell_labels(cells: Iterable[Described]) -> dict[Cell, str]:
    """Name each cell among those of its place; empty for a cell alone there.

    The names don't depend on the order of the cells, and no two of a place are equal.
    """
    places: dict[tuple[str, str, int], list[Described]] = {}
    for each in sorted(cells, key=lambda each: each.cell):
        places.setdefault(each.cell.place, []).append(each)
    found: dict[Cell, str] = {}
    for alike in places.values():
        found |= _of_place(alike) if len(alike) > 1 else {alike[0].cell: ""}
    return found


def _of_place(cells: Sequence[Described]) -> dict[Cell, str]:
    settings = _varying([each.settings for each in cells])
    checksums = {each.cell.checksum for each in cells}
    digits = 8 if len({each[:8] for each in checksums}) == len(checksums) else None
    facts = [
        {**each.conditions, "data": each.cell.checksum[:digits] or "unknown"} for each in cells
    ]
    conditions = _varying(facts)
    known: list[_Known] = []
    holds: dict[str, int] = {}
    alike: dict[tuple[str, tuple[str, ...]], int] = {}
    recipes: dict[str, int] = {}
    plain: dict[str, int] = {}
    for place, (each, fact) in enumerate(zip(cells, facts, strict=True)):
        every = {name: f"{name}={value}" for name, value in each.settings.items()}
        recipe = each.recipe
        own = tuple(
            every[name]
            for name in settings
            if name in every and (recipe is None or recipe.get(name) != each.settings[name])
        )
        around = tuple(f"{name} {fact[name]}" for name in conditions if name in fact)
        digest = each.cell.settings or "unknown"
        profile = each.cell.profile
        known.append(_Known(profile, own, around, digest, recipe is not None))
        bit = 1 << place
        if each.plain and recipe is not None and not own:
            plain[profile] = plain.get(profile, 0) | bit
        for word in {*(every[name] for name in settings if name in every), *around, digest}:
            holds[word] = holds.get(word, 0) | bit
        alike[profile, own] = alike.get((profile, own), 0) | bit
        recipes[profile] = recipes.get(profile, 0) | bit
    found: dict[Cell, str] = {}
    for place, (each, one) in enumerate(zip(cells, known, strict=True)):
        words = _words(one, 1 << place, holds, alike, recipes)
        if len(words) > 1 and plain.get(one.profile) == 1 << place:
            words = [one.profile]
        found[each.cell] = " ".join(words)
    return found


def _words(
    one: _Known,
    itself: int,
    holds: Mapping[str, int],
    alike: Mapping[tuple[str, tuple[str, ...]], int],
    recipes: Mapping[str, int],
) -> list[str]:
    """Choose the words for a cell. Sets of cells are whole numbers, a bit for each cell.

    Args:
        holds: the cells of which a word is true.
        alike: the cells of a recipe with the same settings of their own.
        recipes: the cells of each recipe.
    """
    several = len(recipes) > 1
    same = alike[one.profile, one.own] & ~itself
    # The recipe's name comes first; alone, it says that there are no overrides.
    others = recipes[one.profile] & ~itself if one.own or not several else same
    for digests in ((), (one.digest,)):
        around = (*one.conditions, *digests)
        chosen, left = _telling((*one.own, *around), others, holds)
        if not left:
            if several and one.has_recipe and one.own and not set(one.own) & set(chosen):
                # The recipe alone would say that it departs in nothing.
                first = one.own[0]
                chosen = [first, *_telling(chosen, others & holds[first], holds)[0]]
            if not one.own or not set(one.own) <= set(chosen):
                return [one.profile, *chosen] if several else chosen
            around = tuple(word for word in chosen if word not in one.own)
        chosen, left = _telling(around, same, holds)
        if not left:
            head = [one.profile] if several or not one.own else []
            return [*head, *one.own, *chosen]
    raise AssertionError("equal cells")


def _telling(words: Sequence[str], others: int, holds: Mapping[str, int]) -> tuple[list[str], int]:
    """Choose a minimal set of a cell's words that distinguishes it from others.

    Returns:
        The words in their order, and the cells from which they don't distinguish it.
    """
    left = others
    chosen: list[str] = []
    while left:
        word = min(words, key=lambda word: (left & holds[word]).bit_count(), default=None)
        if word is None or left & holds[word] == left:
            break
        chosen.append(word)
        left &= holds[word]
    for word in [*chosen]:
        rest = others
        for other in chosen:
            if other != word:
                rest &= holds[other]
        if rest == left:
            chosen.remove(word)
    return [word for word in words if word in chosen], left


def _varying(facts: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the names under which there are several values, in the order of the first facts."""
    values: dict[str, set[str]] = {}
    for each in facts:
        for name, value in each.items():
            values.setdefault(name, set()).add(value)
    return [name for name, some in values.items() if len(some) > 1]
