"""What must be true for each sentence of a report; ``sentences.txt`` has their patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from . import claims, duels, pictures, recorded, rules, tuning
from .facts import Facts, NoCellError, UnsureError
from .page import Part
from .texts import LABEL, N

Match = re.Match[str]
Check = Callable[[Match, Facts, Part], Iterator[str]]


def _static(m: Match, facts: Facts, part: Part) -> Iterator[str]:
    """Check nothing: it says how to read what stands beside it."""
    yield from ()


_CHECKS: dict[str, Check] = {
    **vars(claims),
    **vars(duels),
    **vars(pictures),
    **vars(recorded),
    **vars(rules),
    **vars(tuning),
}


def _patterns() -> Iterator[tuple[re.Pattern[str], Check]]:
    """Read ``sentences.txt``."""
    text = Path(__file__).with_name("sentences.txt").read_text(encoding="utf-8")
    for entry in text.strip().split("\n\n"):
        if not entry.startswith("#"):
            name, _, pattern = " ".join(entry.split()).partition(": ")
            pattern = pattern.replace("@N@", N).replace("@LABEL@", LABEL)
            yield re.compile(pattern), _static if name == "-" else _CHECKS[name]


PATTERNS = tuple(_patterns())


def judged(part: Part, facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Yield each sentence of a text with ``holds``, ``false`` or ``not checked``, and why."""
    rest = part.text.strip()
    while rest:
        for pattern, check in PATTERNS:
            if found := pattern.match(rest):
                yield (found[0], *verdict(check(found, facts, part)))
                rest = rest[found.end() :].strip()
                break
        else:
            end = re.search(r"[.:](?=\s+[A-Z`]|$)", rest)
            stop = end.end() if end else len(rest)
            yield rest[:stop], "not checked", "no pattern fits"
            rest = rest[stop:].strip()


def verdict(faults: Iterator[str]) -> tuple[str, str]:
    """Say whether what was checked holds: it does without faults."""
    found: list[str] = []
    try:
        found.extend(faults)
    except NoCellError as error:
        found.append(str(error))
    except (UnsureError, KeyError, IndexError) as error:
        if not found:
            return "not checked", f"{type(error).__name__}: {error}"
    return ("false", "; ".join(found)) if found else ("holds", "")
