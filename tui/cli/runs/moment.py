"""A moment of the past, as it is given to a command."""

from __future__ import annotations

import re
import time
from typing import Any

import click

LEFT = -1.0
"""Stands for the moment at which the app was left; which that is depends on the store."""

_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}


class Moment(click.ParamType[float]):
    """``90m``, ``8h``, ``3d``: so long ago, as seconds since 1970; or `LEFT`."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        text = str(value).strip().lower()
        if text == "left":
            return LEFT
        if (span := _SPAN.fullmatch(text)) is None:
            self.fail(f"{value!r} isn't a span of time: 90m, 8h or 3d, or left.", param, ctx)
        return max(0.0, time.time() - float(span[1]) * _SECONDS[span[2]])
