"""Text of both themes can be read on every ground that it stands on: WCAG 2.2, level AA."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from tui.shell.theme import SEQBENCH, SEQBENCH_LIGHT

TEXT, GRAPHICS = 4.5, 3.0
"""The least contrast: SC 1.4.3 and 1.4.11."""

GROUNDS = ("background", "surface", "panel")
MARKED = (
    "block-cursor-background", "block-cursor-blurred-background",
    "selection-background", "selection-cursor-background",
)  # fmt: skip
QUIET = ("text-disabled", "state-never")
"""Stand on the ground of screens and dialogs, and only as a dot on a marked one."""

themes = pytest.mark.parametrize("theme", [SEQBENCH, SEQBENCH_LIGHT], ids=lambda theme: theme.name)


def colour(theme: Theme, name: str) -> Color:
    return Color.parse(theme.variables.get(name) or getattr(theme, name))


def contrast(one: Color, other: Color) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(of: Color) -> float:
    """Relative luminance, as WCAG defines it."""
    channels = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in of.normalized]
    return sum(share * x for share, x in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


@themes
def test_text(theme: Theme) -> None:
    states = [name for name in theme.variables if name.startswith("state-")]
    inks = {"foreground", "primary", "accent", "success", "warning", "error", "text-muted", *states}
    for ink in sorted(inks - {*QUIET}):
        for ground in (*GROUNDS, *MARKED):
            found = contrast(colour(theme, ink), colour(theme, ground))
            assert found >= TEXT, f"{ink} on {ground}: {found:.2f}"
    for ink in QUIET:
        for ground in (*GROUNDS[:2], *MARKED):
            found = contrast(colour(theme, ink), colour(theme, ground))
            assert found >= (TEXT if ground in GROUNDS else GRAPHICS), f"{ink} on {ground}: {found}"


@themes
def test_text_on_what_is_filled(theme: Theme) -> None:
    for ground in ("primary", "accent", "warning"):
        assert contrast(colour(theme, "background"), colour(theme, ground)) >= TEXT
    for ink, ground in (("footer-key-foreground", "footer-background"),
                        ("footer-description-foreground", "footer-background"),
                        ("block-cursor-foreground", "block-cursor-background")):  # fmt: skip
        assert contrast(colour(theme, ink), colour(theme, ground)) >= TEXT


@themes
def test_curves(theme: Theme) -> None:
    for number in range(1, 9):
        found = contrast(colour(theme, f"series-{number}"), colour(theme, "background"))
        assert found >= GRAPHICS - 0.005, f"series {number}: {found:.2f}"
