"""Blocks written as HTML and Markdown: whatever a text holds, it stays text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from engine.analysis.columns.text import printable
from engine.report.blocks import (
    Bullets,
    Cell,
    Commands,
    Paragraph,
    Plot,
    Report,
    Section,
    Subheading,
    table,
)
from engine.report.html import html
from engine.report.markdown import markdown
from engine.report.svg import DARK, LIGHT, standalone

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>x</text></svg>'


def report(text: str) -> Report:
    blocks = (
        Subheading(text),
        Paragraph(text, quiet=True),
        Bullets((text, text)),
        Commands((text,)),
        table([text, "n"], [[text, "1"], [Cell((text, text), strong=True, indent=1), "2"]],
              figures=[1], caption=text, strong=[0]),
        Plot("p", lambda: SVG, text, text),
    )  # fmt: skip
    return Report(text, (text,), (Section(text, blocks),))


class Reader(HTMLParser):
    """Tags, attributes and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "wbr":
            self.tags.append(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


PLAIN = Reader(html(report("plain")))


@given(st.text(max_size=40))
def test_no_text_becomes_markup_in_html(text: str) -> None:
    read = Reader(html(report(f"x{text}")))
    assert read.tags == PLAIN.tags
    assert read.names == PLAIN.names


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b", "\u202eevil", "$x^2$"],
)
def test_hostile_text_is_shown_inert(text: str) -> None:
    page = html(report(text))
    assert Reader(page).tags == PLAIN.tags
    shown = "".join(c for c in text if c != "\u202e")
    assert any(shown in part for part in Reader(page).texts)


def structure(text: str) -> list[str]:
    """The kinds of all that a reader of Markdown makes of a report with this text."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = reader.parse(markdown(report(text), None))
    inner = (child for token in tokens for child in token.children or ())
    return [token.type for token in (*tokens, *inner) if token.type != "text_special"]


MARKUP = st.text("#-+=.)1 *_~`|<>&;![](){}:\\\"'$a", min_size=1, max_size=12)


@given(MARKUP | st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
@example("## a")
@example("===")
@example("```")
@example("    a")
def test_no_text_becomes_markup_in_markdown(text: str) -> None:
    assume(printable(text).strip())
    assert structure(text) == structure("plain")


def test_markdown_is_what_it_should_be() -> None:
    assert markdown(report("a_b"), None) == (
        "# a\\_b\n\na\\_b\n\n## a\\_b\n\n### a\\_b\n\na\\_b\n\n- a\\_b\n- a\\_b\n\n"
        "```sh\na_b\n```\n\n**a\\_b**\n\n| a\\_b | n |\n| --- | ---: |\n| **a\\_b** | **1** |\n"
        "| &nbsp;&nbsp;&nbsp;&nbsp;**a\\_b<br>a\\_b** | 2 |\n\n**a\\_b**\n\n_a\\_b_\n"
    )


def test_a_command_in_a_sentence_is_code_in_both() -> None:
    text = "one seed each, `a`: no conclusion; `seqbench run --set 'a_b=1'` and `seqbench ls`."
    shown = markdown(report(text), None)
    told = "one seed each, \\`a\\`: no conclusion; `seqbench run --set 'a_b=1'` and `seqbench ls`."
    assert f"- {told}\n- {told}\n" in shown
    assert f"| **{told}** |" in shown
    read = Reader(html(report(text)))
    # In the paragraph, two items, and four lines of cells or heads; the plain one is a block's.
    assert read.tags.count("code") - PLAIN.tags.count("code") >= 2 * 3
    assert "seqbench run --set 'a_b=1'" in read.texts


def test_a_drawing_says_what_it_shows_and_has_both_palettes_alone() -> None:
    assert 'role="img" aria-label="&lt;x&gt;"' in html(report("<x>"))
    alone = standalone(SVG)
    for palette in (LIGHT, DARK):
        for name, value in palette.items():
            assert f"--{name}:{value}" in alone


def test_the_page_has_the_drawings_colours() -> None:
    style = re.search(r"<style>(.*?)</style>", html(report("x")), re.DOTALL)
    assert style
    light, dark = style[1].split("prefers-color-scheme: dark", 1)
    for palette, part in ((LIGHT, light), (DARK, dark)):
        for name, value in palette.items():
            assert f"--{name}: {value};" in part
