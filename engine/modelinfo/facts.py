"""Facts of a model with certain settings: whether they fit together, and its parameter count."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import UsageError, UserError
from engine.modelinfo.ask import ask
from engine.modelinfo.builtin import builtin_facts
from engine.modelinfo.info import ModelInfo
from engine.modelinfo.kept import keep, read_kept


class NotKnownError(UserError):
    """Something that takes a process to find out, where that wasn't wanted."""


@dataclass(frozen=True)
class Facts:
    """What is known of a model with certain settings."""

    problem: str = ""
    """Why they don't fit together, in a sentence; empty if they do."""
    formula: tuple[int, int, int, int] | None = None
    """a, b, c and d of a + b·V + c·L + d·V·L parameters; ``None`` if it isn't so."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Parameters by V and L with a blank between, where there is no formula."""

    def parameters(self, items: int, length: int) -> int | None:
        """Return the parameter count for V and L; ``None`` if that is yet to be asked for."""
        if self.formula is None:
            return self.counts.get(f"{items} {length}")
        a, b, c, d = self.formula
        return a + b * items + c * length + d * items * length


_known: dict[tuple[str, str], Facts] = {}
"""By hash of the code and `settings_key`."""
_read: set[str] = set()
"""Hashes of the code of which it was read what is kept."""


def settings_key(settings: Mapping[str, Any]) -> str:
    """Return a digest of a model's settings."""
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def known_facts(info: ModelInfo, settings: Mapping[str, Any]) -> Facts | None:
    """Return the facts of a model with these settings; ``None`` if they are yet to be asked for.

    Args:
        settings: all of them.
    """
    key = settings_key(settings)
    found = _known.get((info.sha256, key))
    if found is None and info.file is None and (shipped := builtin_facts(info.name).get(key)):
        found = _known[info.sha256, key] = _facts(shipped)
    if found is None and info.sha256 not in _read:
        remember(info.sha256, read_kept(info.sha256))
        found = _known.get((info.sha256, key))
    return found


def remember(sha256: str, kept: Mapping[str, Any]) -> None:
    """Know the facts that are kept of the code with this hash, so that nobody needs to read them:
    `engine.modelinfo.kept.read_kept`."""
    _read.add(sha256)
    for key, fact in kept.get("facts", {}).items():
        _known.setdefault((sha256, key), _facts(fact))


def facts_of(info: ModelInfo, settings: Sequence[Mapping[str, Any]]) -> list[Facts]:
    """Return the facts of a model with each of some settings; ask for those that aren't known.

    Raises:
        UserError: they can't be found out.
    """
    asked = {settings_key(each): each for each in settings if known_facts(info, each) is None}
    if asked:
        _ask(info, asked, ())
    return [_known[info.sha256, settings_key(each)] for each in settings]


def parameters_of(
    info: ModelInfo, settings: Mapping[str, Any], items: int, length: int, *, wait: bool = True
) -> int:
    """Return the parameter count of a model with these settings, for V and L.

    Args:
        wait: ask for what isn't known.

    Raises:
        NotKnownError: without ``wait``, it isn't known.
        UsageError: the settings don't fit together.
        UserError: it can't be found out.
    """
    facts = facts_of(info, [settings])[0] if wait else known_facts(info, settings)
    if facts is None or (
        not wait and not facts.problem and facts.parameters(items, length) is None
    ):
        raise NotKnownError(f"{info.name}: its parameters aren't counted yet.")
    if not facts.problem and facts.parameters(items, length) is None:
        _ask(info, {settings_key(settings): settings}, [(items, length)])
        (facts,) = facts_of(info, [settings])
    found = facts.parameters(items, length)
    if found is None:
        raise UsageError(f"{info.name}: {facts.problem}.")
    return found


def _ask(
    info: ModelInfo, settings: Mapping[str, Mapping[str, Any]], sizes: Sequence[tuple[int, int]]
) -> None:
    """Ask for the facts of settings by `settings_key`, and keep them."""
    answer = ask(info.question, list(settings.values()), sizes)
    if "problem" in answer:
        raise UserError(answer["problem"])
    found: dict[str, dict[str, Any]] = dict(zip(settings, answer["facts"], strict=True))
    for key, fact in found.items():
        before = _known.get((info.sha256, key))
        fact["counts"] = {**(before.counts if before else {}), **fact.get("counts", {})}
        _known[info.sha256, key] = _facts(fact)
    keep(info.sha256, None, found)


def _facts(content: Mapping[str, Any]) -> Facts:
    formula = content.get("formula")
    return Facts(
        content.get("problem", ""), tuple(formula) if formula else None, content.get("counts", {})
    )
