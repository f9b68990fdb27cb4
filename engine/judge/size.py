"""How large a data set may be for judging all of it, and about how long judging takes."""

from __future__ import annotations

MOST_FITTED = 1_000_000
"""Training interactions that models are fitted to."""
MOST_RANKED = 10_000
"""Users who are ranked for, in validation and in test."""
MOST_PRODUCTS = 2e10
"""Training interactions times items up to which it is counted how many users have both of two."""
MOST_SOLVED = 10_000
"""Items up to which EASE's equations, one for each item, are solved."""

_BY_PAIRS = frozenset({"item-knn", "ease"})
"""Models that count how many users have both of two items."""
_AT_ONCE = 2**26
"""Users or items, times items, up to which that is counted once for all settings."""


def too_large(model: str, title: str, items: int, interactions: int) -> str:
    """Say why a model isn't fitted to so much; empty if it is."""
    counted = model not in _BY_PAIRS or interactions * items <= MOST_PRODUCTS
    if counted and (model != "ease" or items <= MOST_SOLVED):
        return ""
    return f"fitting {title} to {interactions:,} interactions with {items:,} items takes too long."


def expected_seconds(users: int, items: int, interactions: int) -> float:
    """Return about how many CPU seconds judging takes: for starting, for each interaction, for
    matrices between items, and for each score of 40 evaluations."""
    fitted, ranked = min(interactions, MOST_FITTED), min(users, MOST_RANKED)
    seconds = 3 + 1e-5 * fitted + 1.5e-7 * items**2 + 3e-7 * ranked * items
    if fitted * items <= MOST_PRODUCTS:
        counted = 1 if max(users, items) * items <= _AT_ONCE else 3
        seconds += 1e-9 * counted * fitted * items
        if items <= MOST_SOLVED:
            seconds += 1e-10 * items**3
    return seconds


def about(seconds: float) -> str:
    """Write a time in words, such as ``about 30 seconds``."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 95:
        return f"about {round(seconds, -1):.0f} seconds"
    return f"about {seconds / 60:.0f} minutes"
