"""Pictures of one app in several sizes of its terminal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pilots import settled
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual.app import App
from textual.pilot import Pilot

Sizes = Callable[..., None]
SIZES = [(80, 24), (120, 36), (200, 50)]


EACH_SIZE = [*SIZES[:2], pytest.param(SIZES[2], marks=pytest.mark.slow)]
"""For a test whose app has to begin in its size: the largest adds least, since screens are laid out
alike from 110 columns on."""
ONE_SIZE = [pytest.param(size, marks=pytest.mark.slow) for size in SIZES]
ONE_SIZE[1] = pytest.param(SIZES[1])
"""The same, where the layout is that of a main screen, which is compared in `EACH_SIZE`."""


def by_x(size: tuple[int, int]) -> str:
    """A size as 80x24."""
    return f"{size[0]}x{size[1]}"


async def compare_sizes(
    snapshot: SnapshotAssertion,
    app: App[Any],
    look: Callable[[Pilot[Any]], Awaitable[None]],
    name: Callable[[tuple[int, int]], str] = str,
) -> None:
    """Compare what the app shows after ``look``, in each size, with the stored picture."""
    pictures = snapshot.use_extension(SVGImageExtension)
    different = []
    async with app.run_test(size=SIZES[0]) as pilot:
        await look(pilot)
        for size in SIZES:
            if size != app.size:
                await pilot.resize_terminal(*size)
                await settled(pilot)
            await pilot.wait_for_scheduled_animations()
            await pilot.pause()
            picture = app.export_screenshot(title=app.title, simplify=True)
            if pictures(name=name(size)) != picture:
                different.append(size)
    assert not different
