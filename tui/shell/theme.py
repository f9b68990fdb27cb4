"""The themes of seqbench, and the colours of run states and of series in any other theme.

The dark grounds are nearly grey: in 256 colours a tinted dark ground turns black. A variable that
Textual derives as we want it from a theme's other colours isn't set.
"""

from __future__ import annotations

from textual.theme import Theme

DARK_STATES = {
    "state-never": "#818a98",
    "state-queued": "#6fc7d1",
    "state-running": "#8fbaf5",
    "state-done": "#8ccf8f",
    "state-failed": "#f58d94",
    "state-cancelled": "#a3acba",
    "state-lost": "#d5a8e4",
    "state-marked": "#e3bd7c",
}
"""Colours of run states, and of disturbed figures, on a dark ground; the defaults for themes that
name none."""

LIGHT_STATES = {
    "state-never": "#616b7a",
    "state-queued": "#086374",
    "state-running": "#1c57b0",
    "state-done": "#236b2f",
    "state-failed": "#aa231b",
    "state-cancelled": "#525c6b",
    "state-lost": "#80379d",
    "state-marked": "#7d4f00",
}

SERIES = tuple(f"$series-{number}" for number in range(1, 9))
"""Theme variables of the series of a chart, in the order of their use. Any two of a theme can be
told apart with every kind of colour blindness; beside them still stands a mark or a name."""


def _series(*colours: str) -> dict[str, str]:
    """Name eight colours as the variables of series."""
    return {name.removeprefix("$"): colour for name, colour in zip(SERIES, colours, strict=True)}


DARK_SERIES = _series(  # after Okabe and Ito; black and blue lighter, for a dark ground
    "#56b4e9", "#e69f00", "#cc79a7", "#00b386", "#f0e442", "#e06a1a", "#3d7edb", "#d9dee8"
)  # fmt: skip
LIGHT_SERIES = _series(
    "#204ab7", "#c18300", "#ae397e", "#059c62", "#c31312", "#8184da", "#457d2d", "#1c3747"
)  # fmt: skip

SEQBENCH = Theme(
    name="seqbench",
    dark=True,
    primary="#8fbaf5",
    secondary="#97a6bf",
    accent="#e3bd7c",
    success="#8ccf8f",
    warning="#e3bd7c",
    error="#f58d94",
    foreground="#d9dee8",
    background="#14161a",
    surface="#1b1e22",
    panel="#262a30",
    variables={
        **DARK_STATES,
        **DARK_SERIES,
        "text-muted": "#a3acba",
        "text-disabled": "#818a98",
        "border-blurred": "#404650",
        "block-cursor-background": "#24405f",
        "block-cursor-foreground": "#f4f7fc",
        "block-cursor-blurred-background": "#2b2f36",
        "block-hover-background": "#262a30",
        "selection-background": "#3a3222",
        "selection-cursor-background": "#453b22",
        "footer-background": "#1b1e22",
        "footer-key-foreground": "#e3bd7c",
        "footer-description-foreground": "#a3acba",
        "input-selection-background": "#8fbaf5 30%",
        "scrollbar": "#404650",
        "scrollbar-hover": "#525965",
        "scrollbar-background": "#181a1e",
        "link-color": "#8fbaf5",
    },
)

SEQBENCH_LIGHT = Theme(
    name="seqbench-light",
    dark=False,
    primary="#1c57b0",
    secondary="#56647c",
    accent="#7d4f00",
    success="#236b2f",
    warning="#7d4f00",
    error="#aa231b",
    foreground="#20252e",
    background="#f6f7f9",
    surface="#eceff3",
    panel="#e4e8ed",
    variables={
        **LIGHT_STATES,
        **LIGHT_SERIES,
        "text-muted": "#525c6b",
        "text-disabled": "#616b7a",
        "border-blurred": "#c3cad5",
        "block-cursor-background": "#d0e0f7",
        "block-cursor-foreground": "#10151d",
        "block-cursor-blurred-background": "#e3e8ef",
        "block-hover-background": "#e3e8ef",
        "selection-background": "#f8edd2",
        "selection-cursor-background": "#f2dfb0",
        "footer-background": "#eceff3",
        "footer-key-foreground": "#7d4f00",
        "footer-description-foreground": "#525c6b",
        "input-selection-background": "#1c57b0 25%",
        "scrollbar": "#c3cad5",
        "scrollbar-hover": "#a9b3c2",
        "scrollbar-background": "#eceff3",
        "link-color": "#1c57b0",
    },
)

ANSI = Theme(
    name="seqbench-ansi",
    ansi=True,
    dark=True,
    primary="ansi_magenta",
    secondary="ansi_cyan",
    accent="ansi_magenta",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "state-never": "ansi_bright_black",
        "state-queued": "ansi_cyan",
        "state-running": "ansi_blue",
        "state-done": "ansi_green",
        "state-failed": "ansi_red",
        "state-cancelled": "ansi_bright_black",
        "state-lost": "ansi_magenta",
        "state-marked": "ansi_yellow",
        **_series(
            *("ansi_cyan", "ansi_yellow", "ansi_magenta", "ansi_green"),
            *("ansi_red", "ansi_blue", "ansi_default", "ansi_bright_black"),
        ),
        "text-muted": "ansi_bright_black",
        "text-disabled": "ansi_bright_black",
        "border-blurred": "ansi_bright_black",
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        # Grounds: each only a mark of what is meant, see `tui.shell.terminal.fewcolours`.
        "block-cursor-background": "ansi_white",
        "block-cursor-blurred-background": "ansi_bright_white",
        "selection-background": "ansi_bright_yellow",
        "selection-cursor-background": "ansi_bright_green",
        "input-cursor-background": "ansi_white",
        "input-selection-background": "ansi_bright_white",
        "screen-selection-background": "ansi_bright_white",
        "screen-selection-foreground": "ansi_default",
        "scrollbar": "ansi_white",
        "scrollbar-hover": "ansi_white",
        "scrollbar-active": "ansi_white",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "link-color": "ansi_magenta",
    },
)
"""The terminal's own sixteen colours."""

THEMES = (SEQBENCH, SEQBENCH_LIGHT, ANSI)

DEFAULT_VARIABLES = {
    **DARK_STATES,
    **DARK_SERIES,
    "selection-background": "#3a3222",
    "selection-cursor-background": "#453b22",
}
"""Variables that our style sheets use and Textual's own themes don't set."""
