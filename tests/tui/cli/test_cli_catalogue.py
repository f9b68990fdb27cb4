"""`models`, `suite` and `data`: what is configured, what is here, and fetching it."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
RunJson = Callable[..., Any]

SMALL_TO_LARGE = {
    "sasrec": """270,291 271,891 273,491 1,355,643 1,358,843 1,362,043
        8,649,654 8,656,054 8,662,454""",
    "bert4rec": """274,835 276,435 278,035 1,372,923 1,376,123 1,379,323
        8,716,982 8,723,382 8,729,782""",
    "xlstm": """269,188 269,188 269,188 1,376,904 1,376,904 1,376,904
        8,698,176 8,698,176 8,698,176""",
}
"""The reference table's, by data set and length."""


def test_the_27_cells_have_the_known_parameter_counts(no_data: None, cli_json: RunJson) -> None:
    cells = cli_json("models", "--json")
    expected = [
        {"model": model, "dataset": dataset, "length": length, "parameters": count}
        for model, counts in SMALL_TO_LARGE.items()
        for (dataset, length), count in zip(
            product(["ml-100k", "ml-1m", "ml-10m"], [50, 75, 100]),
            (int(count.replace(",", "")) for count in counts.split()),
            strict=True,
        )
    ]
    assert cells == expected


def test_all_data_sets_and_a_table_for_people(cli: Run, cli_json: RunJson) -> None:
    everything = cli_json("models", "--all", "--json")
    sets = cli_json("data", "ls", "--json")
    models = {cell["model"] for cell in everything}
    assert set(SMALL_TO_LARGE) < models
    assert len(everything) == 3 * len(models) * len(sets)
    assert {"synthetic", "ml-10m", "steam"} <= {cell["dataset"] for cell in everything}
    lines = cli("models").stdout.splitlines()
    assert lines[0].split() == ["MODEL", "DATASET", "LENGTH", "PARAMETERS"]
    assert lines[1].split() == ["sasrec", "ml-100k", "50", "270,291"]
    assert len(lines) == 28


def test_a_layer_of_ones_own_is_seen(cli_json: RunJson, tmp_path: Path) -> None:
    folder = tmp_path / "mine/models"
    folder.mkdir(parents=True)
    wider = "{reference: {sizes: {small: {architecture: {dim: 128}}}}}"
    (folder / "wide.yaml").write_text(f"name: sasrec\nprofiles: {wider}\n")
    (first, *_) = cli_json("--config-dir", str(tmp_path / "mine"), "models", "--json")
    assert first["parameters"] > 270_291


MINE = """\
from torch import nn

from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel

class Settings(ModelSettings):
    width: int = 8

class Mine(SequenceModel):
    def __init__(self, settings, num_items, length):
        super().__init__()
        self.items = nn.Embedding(num_items + 1, settings.width)

    def hidden(self, items, *, last_only=False):
        return self.items(items)

    def output_layer(self):
        return OutputLayer(self.items.weight)

MODEL = Definition(title="Mine", settings=Settings, module=Mine)
"""


def test_ones_own_models_are_listed_with_their_files(
    cli: Run, cli_json: RunJson, tmp_path: Path, no_data: None
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "mine.py").write_text(MINE)
    (folder / "broken.py").write_text("import nothing_such\nMODEL = 1\n")
    raises = MINE.replace("super().__init__()", "super().__init__(1)")
    (folder / "raises.py").write_text(raises)
    listed = cli("--model-path", str(folder), "models")
    assert f"{folder}/raises.py:10: TypeError" in listed.stderr
    assert f"mine is defined in {folder}/mine.py" in listed.stdout.splitlines()
    assert f"{folder}/broken.py:1: ModuleNotFoundError" in listed.stderr
    cells = cli_json("models", "--json", "--model-path", str(folder / "mine.py"))
    assert cells[27] == {
        "model": "mine", "dataset": "ml-100k", "length": 50, "parameters": (1682 + 1) * 8,
    }  # fmt: skip
    planned = ("run", "--model", "mine", "--dataset", "synthetic", "--set", "width=4", "--dry-run")
    assert cli(*planned).exit_code == 2
    assert cli(*planned, "--model-path", str(folder)).exit_code == 0
    refused = cli("run", "--model", "broken", "--dataset", "synthetic", "--dry-run",
                  "--model-path", str(folder))  # fmt: skip
    assert f"{folder}/broken.py:1: ModuleNotFoundError" in refused.stderr


def test_suites_are_listed_and_shown(cli: Run, cli_json: RunJson) -> None:
    runs = {suite["name"]: suite["runs"] for suite in cli_json("suite", "ls", "--json")}
    assert (runs["reference-27"], runs["smoke"]) == (27, 3)
    assert cli_json("suite", "show", "smoke", "--json")["overrides"] == {"epochs": 5}
    shown = cli("suite", "show", "reference-27")
    assert "ml-100k, ml-1m, ml-10m" in shown.stdout
    assert shown.stderr == "27 runs.\n"
    assert "reference-27" in cli("suite", "ls").stdout
    assert cli("suite", "show", "smok").exit_code == 2


def test_data_sets_are_listed_with_what_fetching_costs(
    no_data: None, cli: Run, cli_json: RunJson
) -> None:
    sets = {each["name"]: each for each in cli_json("data", "ls", "--json")}
    assert (sets["synthetic"]["ready"], sets["synthetic"]["origin"]) == (True, "built-in")
    assert (sets["ml-100k"]["ready"], sets["ml-100k"]["bytes"]) == (False, 4_924_029)
    assert "no commercial use" in sets["ml-1m"]["license"]
    lines = {line.split()[0]: line for line in cli("data", "ls").stdout.splitlines()}
    assert "not here: 4.9 MB to fetch" in lines["ml-100k"]
    assert lines["synthetic"].endswith("built in")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_data: None) -> Iterator[Path]:
    """A configuration with a data set whose archive a server of ours has."""
    ratings = "".join(
        f"{user}\t{(user * item) % 7 + 1}\t3\t{item}\n" for user in (1, 2, 3) for item in (1, 2, 4)
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mini/u.data", ratings)
    served = tmp_path / "served"
    served.mkdir()
    (served / "mini.zip").write_bytes(buffer.getvalue())
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Quiet, directory=str(served))
    )
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    data = buffer.getvalue()
    items = len({line.split("\t")[1] for line in ratings.splitlines()})
    folder = tmp_path / "mine/datasets"
    folder.mkdir(parents=True)
    (folder / "mini.yaml").write_text(
        f"""
name: mini
title: Mini
size: small
reader: movielens-tab
users: 3
items: {items}
interactions: 9
folder: mini
files: {{u.data: '{hashlib.md5(ratings.encode()).hexdigest()}'}}
archive:
  url: http://127.0.0.1:{server.server_port}/mini.zip
  bytes: {len(data)}
  md5: '{hashlib.md5(data).hexdigest()}'
license: "Ours, \\e[2Jdo as you like."
"""
    )
    monkeypatch.setenv("SEQBENCH_CONFIG", str(tmp_path / "mine"))
    yield served / "mini.zip"
    server.shutdown()
    server.server_close()


def test_fetching_says_licence_and_size_first_then_where_it_is(
    mini: Path, cli: Run, cli_json: RunJson, tmp_path: Path
) -> None:
    result = cli("data", "fetch", "mini")
    assert result.exit_code == 0
    assert result.stdout == f"{tmp_path / 'cache/mini'}\n"
    lines = result.stderr.splitlines()
    assert lines[0].startswith("Mini: 0.0 MB from 127.0.0.1")
    assert lines[1] == "Licence: Ours, do as you like."
    assert lines[2:] == [f"mini: {mini.stat().st_size} B fetched"]
    sets = {each["name"]: each for each in cli_json("data", "ls", "--json")}
    assert (sets["mini"]["ready"], sets["mini"]["origin"]) == (True, "cache")
    again = cli("data", "fetch", "mini", "synthetic")
    assert "Licence" not in again.stderr
    assert "Synthetic is built in and needs no fetching." in again.stderr
    (fetched,) = cli_json("data", "fetch", "mini", "--json")
    assert fetched == {"name": "mini", "folder": str(tmp_path / "cache/mini"), "origin": "cache"}


def test_a_fetch_that_fails_is_one_sentence_more(mini: Path, cli: Run) -> None:
    mini.write_bytes(mini.read_bytes()[:-5])
    result = cli("data", "fetch", "mini")
    assert result.exit_code == 1
    assert "fetched" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("seqbench: ")
    assert cli("data", "fetch", "minni").exit_code == 2


def test_verify_tells_whole_from_damaged(
    mini: Path, cli: Run, cli_json: RunJson, tmp_path: Path
) -> None:
    assert cli("data", "fetch", "mini").exit_code == 0
    assert cli_json("data", "verify", "mini", "--json") == [{"name": "mini", "problems": []}]
    assert cli("data", "verify", "mini").stdout == "mini: is as published.\n"
    (tmp_path / "cache/mini/u.data").write_text("1\t1\t3\t1\n")
    damaged = cli("data", "verify", "mini")
    assert damaged.exit_code == 1
    assert "is not the published file" in damaged.stdout
    absent = cli("data", "verify", "ml-1m")
    assert absent.exit_code == 1
    assert "`seqbench data fetch ml-1m`" in absent.stdout


def test_real_data_is_as_published(real_data: Path, cli_json: RunJson) -> None:
    if not (real_data / "ml-100k").is_dir():
        pytest.skip("ml-100k is not under SEQBENCH_DATA")
    assert cli_json("data", "verify", "ml-100k", "--json") == [{"name": "ml-100k", "problems": []}]
