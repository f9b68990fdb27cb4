"""The pages name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.modelinfo import builtin_infos
from engine.spec import Training
from tui.keys import ACTIONS
from tui.shell.action import actions_for, key_name

DOCS = Path(__file__).parents[2] / "docs"


PAGES = [DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_the_readme_is_read_in_a_minute() -> None:
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) <= 110


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", [*PAGES, DOCS.parent / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_link_to_a_heading_leads_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s:]*\.md)?#([\w-]+)\)", page.read_text(encoding="utf-8"))
    targets = [(page.parent / name if name else page, anchor) for name, anchor in links]
    assert [anchor for target, anchor in targets if anchor not in anchors(target)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    makefile = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
    targets = {name for line in re.findall(r"^([\w -]+):", makefile, re.M) for name in line.split()}
    named = re.findall(r"`make ([a-z][a-z-]*)", page.read_text(encoding="utf-8"))
    assert [name for name in named if name not in targets] == []
    module = re.compile(r"python -m (benchmarks(?:\.\w+)+)")
    for name in module.findall(page.read_text(encoding="utf-8")):
        path = DOCS.parent / name.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`((?:engine|tui|tests|benchmarks)/[\w./-]*)`", page.read_text("utf-8"))
    assert [name for name in named if not (DOCS.parent / name).exists()] == []


def test_every_setting_is_explained() -> None:
    page = (DOCS / "training.md").read_text(encoding="utf-8")
    of_models = [name for info in builtin_infos().values() for name in info.schema["properties"]]
    assert [name for name in (*Training.model_fields, *of_models) if f"`{name}`" not in page] == []


AREAS = {
    "app": "Everywhere", "launch": "Launch", "live": "Live", "chart": "Charts",
    "replay": "Charts", "compare": "Compare", "scatter": "The scatter plot", "pivot": "The pivot",
    "run": "A run's page", "data": "Data sets", "study": "A study",
}  # fmt: skip
"""Where docs/terminal.md lists the keys of an area."""


@pytest.mark.parametrize("area", AREAS)
def test_every_key_of_an_area_is_in_its_table(area: str) -> None:
    page = (DOCS / "terminal.md").read_text(encoding="utf-8")
    parts = re.split(r"^##+ (.+)\n", page, flags=re.M)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    elsewhere = "" if area == "app" else sections["Everywhere"]
    if area in ("live", "run", "replay"):  # they show charts
        elsewhere += sections["Charts"]
    told = set(re.findall(r"<kbd>([^<]+)</kbd>", sections[AREAS[area]] + elsewhere))
    names = {"⏎": "enter", "pgup": "pageup", "pgdn": "pagedown"}
    keys = {
        names.get(key_name(key), key_name(key).replace("^", "ctrl+"))
        for action in actions_for(area, ACTIONS)
        if not action.own_keys
        for key in action.keys
    }
    assert keys - told == set()
