"""Settings of users' own models as columns and fields of the filter."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from engine.analysis.columns.meanings import meaning
from engine.analysis.columns.offered import chosen_columns, column_named, every_column
from engine.analysis.comparison import compare_rows
from engine.config import load_catalogue
from engine.errors import UsageError
from engine.modelinfo import own_settings as met
from engine.modelinfo.own_settings import ModelSetting, meet_settings, own_settings
from engine.spec.settings import SETTINGS, every_setting
from engine.store.compare.filter_sql import FilterError, fields
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.location import StoreLocation
from engine.store.requests import enqueue

FILE = """
from torch import nn

from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel


class Settings(ModelSettings):
    kernel: int = 3
    \"\"\"Items that a convolution
    spans; ``1`` is none.\"\"\"
    my_rate: float | None = None
    fast: bool = False


class Mine(SequenceModel):
    def __init__(self, settings, num_items, length):
        super().__init__()
        self.items = nn.Embedding(num_items + 1, 2)

    def hidden(self, items, *, last_only=False):
        return self.items(items)

    def output_layer(self):
        return OutputLayer(self.items.weight)


MODEL = Definition(title="Mine", settings=Settings, module=Mine)
"""


def test_they_are_columns_and_fields_wherever_runs_have_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    catalogue = load_catalogue(None, (file,))
    about = meaning(column_named("kernel"), "best")
    assert about == "Items that a convolution spans; 1 is none. --set kernel=… sets it."

    location = StoreLocation(tmp_path / "runs.db")
    for seed, changes in enumerate(({}, {"kernel": 5, "my_rate": 0.05}, {"my_rate": 1.5})):
        enqueue(location, [catalogue.run_spec("mine", "ml-100k", 50, seed, overrides=changes)])
    enqueue(location, [catalogue.run_spec("sasrec", "ml-100k", 50, 7)])

    monkeypatch.setattr(met, "_met", ())  # as in a new process
    with pytest.raises(UsageError, match="there is no column 'kernel'"):
        column_named("kernel")
    with closing(connect_reader(location)) as con:
        assert {"kernel", "my_rate", "fast"} <= set(fields())
        (row,) = compare_rows(con, filter="kernel:5 my_rate<0.1")
        assert (row["seed"], row["kernel"], row["my_rate"], row["fast"]) == (1, 5, 0.05, "false")
        rows = compare_rows(con, sort="my_rate", filter="my_rate:*")
        assert [row["seed"] for row in rows] == [2, 1]
        assert [row["seed"] for row in compare_rows(con, filter="-kernel:*")] == [7]
        with pytest.raises(FilterError, match="did you mean 'kernel'"):
            compare_rows(con, filter="kernle:5")
        with pytest.raises(UsageError, match="did you mean 'my_rate'"):
            chosen_columns(["my_rte"])
        assert chosen_columns(["Kernel", "my_rate"]) == ("kernel", "my_rate")


def test_a_store_gives_no_name_another_meaning_and_no_sql(tmp_path: Path) -> None:
    location = StoreLocation(tmp_path / "runs.db")
    before = every_column("best"), fields()
    hostile = ["ndcg", "State", "id", "epochs", "x') OR 1 --", "a b", "", "é", "valid_ndcg_best"]
    with closing(connect_writer(location)) as con, write(con):
        sql = "INSERT INTO settings (configuration, name, value) VALUES (1, ?, 2)"
        con.executemany(sql, [(name,) for name in hostile])
    connect_reader(location).close()
    assert own_settings() == ()
    assert (every_column("best"), fields()) == before


def test_kinds_and_meanings_add_up() -> None:
    meet_settings([ModelSetting("reach", "whole", "How far."), ModelSetting("dim", "text")])
    assert (every_setting()["reach"].kind, every_setting()["dim"].kind) == ("whole", "text")
    meet_settings([ModelSetting("reach", "real"), ModelSetting("lr", "text")])
    found = every_setting()["reach"]
    assert (found.kind, found.about, found.section) == ("real", "How far.", "architecture")
    assert every_setting()["lr"] == SETTINGS["lr"], "a setting of training stays what it is"
