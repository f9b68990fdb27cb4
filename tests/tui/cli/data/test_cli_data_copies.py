"""A copy of a data set that isn't the published one is said wherever the data set is named."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from measured_runs import MeasuredStore

from engine.config import load_catalogue
from engine.store.location import StoreLocation

Run = Callable[..., Any]

ROWS = [f"{1 + n % 9}\t{10 + (n * n) % 17}\t3\t{n}\n" for n in range(90)]
ITEMS = len({row.split("\t")[1] for row in ROWS})
RUN = ("run", "--model", "sasrec", "--dataset", "mini", "--seed", "1,2", "--dry-run")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a data set whose MD5 is published, and which can be fetched."""
    data = tmp_path / "data" / "mini" / "u.data"
    data.parent.mkdir(parents=True)
    data.write_text("".join(ROWS))
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    entry = {
        "name": "mini", "title": "Mini", "size": "small", "reader": "movielens-tab", "users": 9,
        "items": ITEMS, "interactions": 90, "folder": "mini",
        "files": {"u.data": hashlib.md5(data.read_bytes()).hexdigest()},
        "archive": {"url": "https://example.org/mini.zip", "bytes": 9, "md5": "a" * 32},
    }  # fmt: skip
    (tmp_path / "own" / "datasets").mkdir(parents=True)
    (tmp_path / "own" / "datasets" / "mini.yaml").write_text(yaml.safe_dump(entry))
    monkeypatch.setenv("SEQBENCH_CONFIG", str(tmp_path / "own"))
    return data


def listed(cli_json: Run) -> dict[str, Any]:
    found: dict[str, Any] = {each["name"]: each for each in cli_json("data", "ls", "--json")}
    return found["mini"]


def test_the_published_copy_is_confirmed(copy: Path, cli: Run, cli_json: Run) -> None:
    assert (listed(cli_json)["copy"], listed(cli_json)["copy_note"]) == ("confirmed", "")
    assert cli("data", "show", "mini").stderr == ""
    assert cli(*RUN).stderr.startswith("No floor of mini yet")
    assert "published file" not in cli("doctor").output


def test_another_copy_is_said(copy: Path, cli: Run, cli_json: Run) -> None:
    copy.write_text("".join([*ROWS[1:], ROWS[0].replace("\t0\n", "\t99\n")]))
    said = f"{copy} is not the published file (its md5 is "
    assert listed(cli_json)["copy"] == "other"
    assert listed(cli_json)["copy_note"].startswith(said)
    for words in (("data", "ls"), ("data", "show", "mini"), RUN):
        done = cli(*words)
        assert done.exit_code == 0, done.output
        assert said in done.stderr
    found = json.loads(cli("doctor", "--json").stdout)["findings"]
    (problem,) = [each for each in found if said in each["text"]]
    assert (problem["topic"], problem["level"]) == ("data", "problem")
    assert problem["cure"] == "Remove it and run `seqbench data fetch mini`."


def test_a_retry_says_it_too(copy: Path, cli: Run, held: StoreLocation, tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add(epochs=3, end="cancelled")
    changed = tmp_path / "data" / "ml-100k" / "u.data"
    changed.parent.mkdir()
    changed.write_text("1\t2\t3\t4\n")
    done = cli("retry", run)
    assert done.exit_code == 0
    assert f"{changed} is not the published file" in done.stderr


def test_a_copy_without_a_published_md5_is_not_called_confirmed(
    copy: Path, cli: Run, cli_json: Run, tmp_path: Path
) -> None:
    path = tmp_path / "own" / "datasets" / "mini.yaml"
    entry = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(entry | {"files": {"u.data": None}}))
    assert listed(cli_json)["copy"] == "unconfirmed"
    done = cli("data", "verify", "mini")
    assert done.stdout == (
        "mini: has the published counts; no md5 of u.data is known, so this copy isn't confirmed.\n"
    )
    assert "no md5 of u.data is known" in cli("data", "show", "mini").stderr
    assert "mini" in cli("doctor").stdout


def test_counts_that_nobody_confirmed_are_said_to_be_so(
    copy: Path, cli: Run, cli_json: Run, tmp_path: Path
) -> None:
    path = tmp_path / "own" / "datasets" / "mini.yaml"
    entry = yaml.safe_load(path.read_text())
    assert listed(cli_json)["unconfirmed"] == []
    sure = entry | {"items": ITEMS + 7}
    path.write_text(yaml.safe_dump(sure))
    assert cli("data", "verify", "mini").exit_code == 1
    same = load_catalogue().run_spec("sasrec", "mini", 8, 1)
    path.write_text(yaml.safe_dump(sure | {"unconfirmed": ["items"]}))
    doubt = "Not confirmed by the publisher or a copy: number of items."
    assert cli("data", "verify", "mini").stdout == f"mini: can be read. {doubt}\n"
    assert listed(cli_json)["unconfirmed"] == ["items"]
    done = cli("data", "ls")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("mini "))
    assert f" {ITEMS + 7}? " in line
    assert f"mini: {doubt}" in done.stderr
    assert f"! {doubt}" in cli("data", "show", "mini").stdout
    assert "ml-32m: Not confirmed by the publisher or a copy: number of items." in done.stderr
    assert re.search("^steam: .* users, .* items, .* interactions, checksum.$", done.stderr, re.M)
    doubted = load_catalogue().run_spec("sasrec", "mini", 8, 1)
    assert doubted != same
    assert (doubted.fingerprint(), doubted.settings()) == (same.fingerprint(), same.settings())


def test_ones_own_file_that_changed_is_not_launched_on(
    copy: Path, cli: Run, tmp_path: Path
) -> None:
    done = cli("data", "import", str(copy), "--name", "own", "--format", "movielens-tab",
               "--in-place")  # fmt: skip
    assert done.exit_code == 0, done.output
    words = (*RUN[:4], "own", *RUN[5:])
    assert cli(*words).exit_code == 0
    copy.write_text("".join(ROWS).replace("\n", "\r\n"))
    said = cli(*words).stderr
    assert said.startswith("No floor of own yet"), "the same, written otherwise"
    assert said.count("\n") == 1
    copy.write_text("".join([*ROWS[1:], ROWS[0].replace("\t0\n", "\t99\n")]))
    done = cli(*words)
    assert done.exit_code == 1
    assert f"{copy} has changed since own was imported" in done.stderr
    assert "Nothing was queued." in done.stderr


@pytest.mark.parametrize("shape", ["pivot", "report"])
def test_its_runs_do_not_stand_beside_published_figures_without_a_mark(
    cli: Run, tmp_path: Path, shape: str
) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add("sasrec", dataset="ml-100k", length=50)
    if shape == "pivot":
        words = ("compare", "--pivot", "--reference")
    else:
        words = ("report", "-o", str(tmp_path / "report.md"))

    def output() -> str:
        done = cli(*words)
        assert done.exit_code == 0, done.output
        path = tmp_path / "report.md"
        return str(done.output) + (path.read_text() if path.exists() else "")

    assert "other-copy" not in output()
    store.set(run, marks="other-copy")
    marked = output()
    sign = "ours, validation max ! other-copy" if shape == "pivot" else "sasrec L50 !"
    assert sign in marked
    assert "aren't comparable with published ones" in " ".join(marked.split())
    assert json.loads(cli("compare", "--format", "json").stdout)[0]["marks"] == "other-copy"
