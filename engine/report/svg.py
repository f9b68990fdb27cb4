"""Turns Matplotlib figures into SVG whose colours come from the page and whose text is text."""

from __future__ import annotations

import io
import re
from typing import Any

from matplotlib.figure import Figure

INK, QUIET, GRID, PAPER = "#010101", "#010102", "#010103", "#010104"
"""Placeholders that are replaced by the page's colours; no drawing has them by chance."""

SERIES = tuple(f"#0101{number:02x}" for number in range(0x10, 0x18))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""One marker per colour of `SERIES`, for print without colour."""

# Okabe & Ito's palette (Color Universal Design, 2008), dark enough on white and light enough on
# black for 3:1, its black and yellow left out.
LIGHT = {
    "ink": "#1d2129", "quiet": "#59616e", "grid": "#dde1e7", "paper": "#ffffff",
    "series-1": "#0072b2", "series-2": "#c44e00", "series-3": "#008a65", "series-4": "#b5518f",
    "series-5": "#a87400", "series-6": "#2f86b8", "series-7": "#6b5bd0", "series-8": "#6b6b6b",
}  # fmt: skip
DARK = {
    "ink": "#e6e8ec", "quiet": "#a3abb8", "grid": "#343a44", "paper": "#15181d",
    "series-1": "#56b4e9", "series-2": "#f0803c", "series-3": "#2fc79a", "series-4": "#e495c0",
    "series-5": "#e6b43c", "series-6": "#8fd0f5", "series-7": "#a99cf5", "series-8": "#b0b0b0",
}  # fmt: skip

_FONT = re.compile(r"font: ([a-z0-9 ]*[\d.]+px) [^;\"]+")

_NAMES = {INK: "ink", QUIET: "quiet", GRID: "grid", PAPER: "paper"} | {
    colour: f"series-{number}" for number, colour in enumerate(SERIES, 1)
}

STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "seqbench",
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": QUIET,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}
"""Settings of Matplotlib for every plot, in place of the user's own."""


def svg_text(figure: Figure, name: str) -> str:
    """Return the figure as an ``<svg>`` element for a page; equal figures give equal bytes.

    Colours refer to CSS variables, whose names are the keys of `LIGHT`; sizes follow the page's
    column. Ids begin with ``name``, so that several figures can be on one page.
    """
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg ") :]
    text = re.sub(r"<!--.*?-->\s*|<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    text = _FONT.sub(r"font: \1 var(--font, sans-serif)", text)
    text = re.sub(r'<svg ([^>]*?)width="([\d.]+)pt"', r'<svg \1width="\2"', text, count=1)
    text = re.sub(r'<svg ([^>]*?)height="([\d.]+)pt"', r'<svg \1height="\2"', text, count=1)
    for colour, variable in _NAMES.items():
        text = text.replace(colour, f"var(--{variable}, {LIGHT[variable]})")
    return text.strip()


def standalone(svg: str) -> str:
    """Return the SVG as a file of its own, with colours for light and dark readers."""
    style = (
        f"<style>:root{{{_declared(LIGHT)}}}"
        f"@media (prefers-color-scheme: dark){{:root{{{_declared(DARK)}}}}}</style>"
    )
    return re.sub(r"(<svg [^>]*>)", rf"\1{style}", svg, count=1) + "\n"


def _declared(values: dict[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in values.items())
