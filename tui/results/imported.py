"""Whether imported runs are among what is compared, in words."""

from __future__ import annotations

NONE_IMPORTED = "No imported run is among these."


def imported_parts(left_out: int, *, taken_in: bool) -> list[tuple[str, str]]:
    """Whether imported runs make cells: with the key that changes it, where there are any."""
    if taken_in:
        return [("i ", "$accent"), ("with imported  ", "$warning")]
    if left_out:
        return [("i ", "$accent"), (f"{left_out:,} imported left out  ", "$warning")]
    return []
