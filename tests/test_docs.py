"""The pages name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine.spec import XLSTM, BERT4Rec, SASRec, Training

DOCS = Path(__file__).parents[1] / "docs"


PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("kind", [Training, SASRec, BERT4Rec, XLSTM])
def test_every_setting_is_explained(kind: type[BaseModel]) -> None:
    page = (DOCS / "training.md").read_text(encoding="utf-8")
    assert [name for name in kind.model_fields if name != "model" and f"`{name}`" not in page] == []
