"""The colours of series: any two can be told apart, whatever the eye."""

from __future__ import annotations

from itertools import combinations

import pytest

from tui.shell.theme import DARK_SERIES, LIGHT_SERIES, SEQBENCH, SEQBENCH_LIGHT, SERIES

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
EYES: dict[str, Matrix] = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
LEAST_DIFFERENCE = 10.0
"""CIE76; 2.3 is what can just be noticed."""
LEAST_CONTRAST = 3.0
"""WCAG 2.1, for graphics."""


def linear(colour: str) -> Vector:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def lab(seen: Vector) -> Vector:
    r, g, b = (min(1.0, max(0.0, part)) for part in seen)
    x = _root((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
    y = _root(0.2126 * r + 0.7152 * g + 0.0722 * b)
    z = _root((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(t: float) -> float:
    return float(t ** (1 / 3)) if t > 0.008856 else 7.787 * t + 16 / 116


def seen_as(colour: str, eye: Matrix) -> Vector:
    light = linear(colour)
    r, g, b = (sum(a * c for a, c in zip(row, light, strict=True)) for row in eye)
    return lab((r, g, b))


def luminance(colour: str) -> float:
    r, g, b = linear(colour)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("series", [DARK_SERIES, LIGHT_SERIES], ids=["dark", "light"])
def test_any_two_series_differ_for_every_eye(series: dict[str, str], eye: str) -> None:
    for one, other in combinations(series.values(), 2):
        parts = zip(seen_as(one, EYES[eye]), seen_as(other, EYES[eye]), strict=True)
        difference = sum((a - b) ** 2 for a, b in parts) ** 0.5
        assert difference >= LEAST_DIFFERENCE, (one, other)


@pytest.mark.parametrize("theme", [SEQBENCH, SEQBENCH_LIGHT], ids=lambda theme: theme.name)
def test_series_stand_out_from_the_ground(theme: object) -> None:
    ground = luminance(str(theme.background))  # type: ignore[attr-defined]
    for name in SERIES:
        colour = luminance(theme.variables[name.removeprefix("$")])  # type: ignore[attr-defined]
        light, dark = max(ground, colour), min(ground, colour)
        assert (light + 0.05) / (dark + 0.05) >= LEAST_CONTRAST, name
