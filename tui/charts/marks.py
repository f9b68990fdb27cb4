"""Marks that tell the points of several series apart without colours."""

from __future__ import annotations

HOLLOW = "○△□▽◇☆"
FILLED = "●▲■▼◆★"
"""Filled, in the same order, for points that stand out."""
