"""The pages name what there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from engine.spec import XLSTM, BERT4Rec, SASRec, Training

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("kind", [Training, SASRec, BERT4Rec, XLSTM])
def test_every_setting_is_explained(kind: type[BaseModel]) -> None:
    page = (DOCS / "training.md").read_text(encoding="utf-8")
    assert [name for name in kind.model_fields if name != "model" and f"`{name}`" not in page] == []
