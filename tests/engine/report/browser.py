"""A real browser without a window: what a page looks like in it, and what it says of the page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DEADLINE = 150
"""Seconds; it takes two or three on a machine with nothing else to do."""

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr", "--v=0",
)  # fmt: skip

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: `apt-get install chromium` brings it"
)

_MEASURE = """
const measured = [...document.querySelectorAll("iframe")].map((frame) => {
  const page = frame.contentDocument, root = page.documentElement;
  const style = (e) => frame.contentWindow.getComputedStyle(e);
  const colours = {};
  for (const [name, rule] of Object.entries({
    text: "main p", quiet: ".quiet", link: "nav a", head: "thead th", label: "svg text"})) {
    const e = page.querySelector(rule);
    if (e) colours[name] = name === "label" ? style(e).fill : style(e).color;
  }
  return {
    width: root.clientWidth, needed: root.scrollWidth,
    beyond: [...page.querySelectorAll("main > *, main section > *, header > *")]
      .filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1)
      .map((e) => e.outerHTML.slice(0, 80)),
    drawings: [...page.querySelectorAll("svg")].map((e) => {
      const box = e.getBoundingClientRect();
      return [box.width, box.height, e.querySelectorAll("text").length];
    }),
    paper: style(page.body).backgroundColor, colours,
    loaded: frame.contentWindow.performance.getEntriesByType("resource").map((e) => e.name),
  };
});
const out = document.createElement("pre");
out.id = "measured";
out.textContent = JSON.stringify(measured);
document.body.append(out);
"""


def look_at(page: str, widths: tuple[int, ...], *, dark: bool) -> tuple[list[dict[str, Any]], str]:
    """What the page is like at some widths, and what the browser's console said."""
    content = escape(page, quote=True)
    frames = "".join(
        f'<iframe srcdoc="{content}" style="width:{width}px;height:900px"></iframe>'
        for width in widths
    )
    wrapper = (
        f"<!doctype html><meta charset='utf-8'>{frames}"
        f"<script>addEventListener('load', () => {{{_MEASURE}}});</script>"
    )
    scheme = "--blink-settings=preferredColorScheme=" + ("0" if dark else "1")
    with tempfile.TemporaryDirectory(prefix="page-") as folder:
        path = Path(folder) / "wrapper.html"
        path.write_text(wrapper, encoding="utf-8")
        done = _chromium(Path(folder), scheme, "--dump-dom", path.as_uri())
    found = re.search(r'<pre id="measured">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    return json.loads(unescape(found[1])), "\n".join(
        line for line in done.stderr.splitlines() if "CONSOLE" in line
    )


def print_pdf(page: str) -> bytes:
    """The page as it is printed."""
    with tempfile.TemporaryDirectory(prefix="page-") as folder:
        path, out = Path(folder) / "page.html", Path(folder) / "page.pdf"
        path.write_text(page, encoding="utf-8")
        _chromium(Path(folder), f"--print-to-pdf={out}", "--no-pdf-header-footer", path.as_uri())
        return out.read_bytes()


def _chromium(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    profile = f"--user-data-dir={folder / 'profile'}"
    return subprocess.run(
        [CHROMIUM, *_FLAGS, profile, *arguments],
        capture_output=True, text=True, timeout=DEADLINE, check=True,
    )  # fmt: skip


def contrast(one: str, other: str) -> float:
    """Of two ``rgb(…)`` colours, as WCAG 2.2 defines it."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
