"""Models that installed packages bring: found without importing them, run inside their package."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.config import load_catalogue
from engine.modelinfo import own_infos
from engine.models.registry import definition_of
from engine.spec import parameter_count

MODEL = """\
from torch import nn

from engine.models import Definition, ModelSettings

from .parts import Base

class Settings(ModelSettings):
    width: int = 4

class Net(Base):
    def __init__(self, settings, num_items, length):
        super().__init__()
        self.num_items, self.length = num_items, length
        self.items = nn.Embedding(num_items + 1, settings.width)

MODEL = Definition("Packed", Settings, Net)
"""
PARTS = """\
from engine.models import OutputLayer, SequenceModel

class Base(SequenceModel):
    def hidden(self, items, *, last_only=False):
        return self.items(items)

    def output_layer(self):
        return OutputLayer(self.items.weight)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, one of which brings a model."""
    site = tmp_path / "site"
    (site / "packed_pkg" / "nets").mkdir(parents=True)
    (site / "packed_pkg" / "__init__.py").write_text("")
    (site / "packed_pkg" / "nets" / "__init__.py").write_text("")
    (site / "packed_pkg" / "nets" / "one.py").write_text(MODEL)
    (site / "packed_pkg" / "nets" / "parts.py").write_text(PARTS)
    about = site / "packed_pkg-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: packed-pkg\nVersion: 1.0\n")
    points = "packed = packed_pkg.nets.one\nabsent = packed_pkg.nets.two\n"
    (about / "entry_points.txt").write_text(f"[seqbench.models]\n{points}")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    return site


def test_a_package_brings_a_model_that_imports_its_neighbours(site: Path) -> None:
    infos = own_infos([])
    assert not [name for name in sys.modules if name.startswith("packed_pkg")], "not imported here"
    info = infos["packed"]
    assert (info.problem, info.title, info.origin) == ("", "Packed", "entry point")
    assert info.file == str(site / "packed_pkg" / "nets" / "one.py")
    assert "packed_pkg.nets.two" in infos["absent"].problem

    spec = load_catalogue().run_spec("packed", "synthetic", 50, 1)
    assert spec.code is not None
    assert spec.code.package == "packed_pkg.nets"
    assert parameter_count(spec) == 201 * 4
    Path(info.file).unlink()  # the run has its own copy
    assert definition_of(spec).title == "Packed"
