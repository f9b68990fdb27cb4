"""How large a data set may be for judging all of it, and about how long judging takes."""

from __future__ import annotations

MOST_FITTED = 2_000_000
"""Training interactions that models are fitted to."""
MOST_RANKED = 10_000
"""Users who are ranked for, in validation and in test."""
MOST_NEIGHBOURS = 20_000
"""Items of the largest catalogue whose neighbours are found."""


def too_many_items(model: str, title: str, items: int) -> str:
    """Say why a model isn't fitted to so many items; empty if it is."""
    if model != "item-knn" or items <= MOST_NEIGHBOURS:
        return ""
    return f"fitting {title} to {items:,} items takes too long."


def expected_seconds(users: int, items: int, interactions: int) -> float:
    """Return about how many CPU seconds judging takes: for starting, for each interaction, for
    each two items in matrices between items, and for each score of 30 evaluations."""
    pairs = items**2 * (1e-6 if items <= MOST_NEIGHBOURS else 4e-7)
    scores = min(users, MOST_RANKED) * items * 5e-7
    return 3 + 1e-5 * min(interactions, MOST_FITTED) + pairs + scores


def about(seconds: float) -> str:
    """Write a time in words, such as ``about 30 seconds``."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 95:
        return f"about {round(seconds, -1):.0f} seconds"
    return f"about {seconds / 60:.0f} minutes"
