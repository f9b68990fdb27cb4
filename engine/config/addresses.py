"""Addresses on the web, as configuration has them."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_web_address(text: str) -> bool:
    """Whether a text is the address of something on the web."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises if it is no port
    except ValueError:
        return False
    readable = text.isascii() and text.isprintable() and " " not in text
    return readable and parts.scheme in ("http", "https") and bool(parts.hostname)
