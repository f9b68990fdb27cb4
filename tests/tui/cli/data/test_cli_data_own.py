"""``data show``, ``import`` and ``derive``, and a run on what they make."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

CSV = "who,what,when\n" + "".join(
    f"user{user},{(user * step) % 11},{1000 * step + user}\n"
    for step in range(1, 9)
    for user in range(1, 13)
)


@pytest.fixture
def table(tmp_path: Path, no_data: None) -> Path:
    path = tmp_path / "my data.csv"
    path.write_text(CSV + "short,1,7\nshort,1,7\n")
    return path


NAMED = ("--user", "who", "--item", "what", "--time", "when")


def test_a_table_becomes_a_data_set(table: Path, tmp_path: Path, cli: Run) -> None:
    words = ("--name", "mine", *NAMED, "--split", "leave-one-out")
    done = cli("data", "import", str(table), *words)
    assert done.exit_code == 0, done.stderr
    assert "Too short: 1 of 13" in done.stdout
    assert "Ties: 1 of 98" in done.stdout
    assert "Repeats:" in done.stdout
    table.unlink()  # it was copied
    assert (tmp_path / "configs" / "datasets" / "mine.yaml").is_file()
    listed = cli("data", "ls")
    assert "mine" in listed.stdout
    assert cli("data", "verify", "mine").exit_code == 0


def test_what_it_would_be_is_shown_and_nothing_kept(
    table: Path, tmp_path: Path, cli_json: Run
) -> None:
    found = cli_json(
        "data", "import", str(table), "--name", "mine", *NAMED, "--dry-run", "--json",
        "--k-core", "3", "--split", "temporal",
    )  # fmt: skip
    assert found["steps"][0]["users"] == 13
    assert found["statistics"]["users"] == 12
    assert found["split"]["kind"] == "temporal"
    assert found["problems"]["timeless"] is False
    assert not (tmp_path / "configs").exists()
    assert not (tmp_path / "cache" / "mine").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "x.inter",
            b"user_id:token\titem_id:token\ttimestamp:float\n1\t2\t3\n1\t3\t4\n1\t4\t5\n",
            "",
        ),
        ("x.txt", b"1 2\n1 3\n1 4\n", "--format pairs"),
        ("x.txt", gzip.compress(b"1 2 3 4\n"), "--format lines"),
        ("x.tsv", b"user_id\tmovieId\n1\t2\n1\t3\n1\t4\n", ""),
        (
            "x.dat",
            b"1|2\n1|3\n1|4\n".replace(b"1|2", b"user|item\n1|2", 1),
            "--format csv --separator |",
        ),
    ],
)
def test_every_form(
    tmp_path: Path, no_data: None, cli_json: Run, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    found = cli_json(
        "data", "import", str(tmp_path / name), "--name", "x", *words.split(), "--json"
    )
    assert (found["statistics"]["interactions"], found["split"]["train"]) == (3, 1)


def test_read_from_where_it_is(table: Path, tmp_path: Path, cli: Run) -> None:
    assert cli("data", "import", str(table), "--name", "x", *NAMED, "--in-place").exit_code == 0
    assert not (tmp_path / "cache" / "x").exists()
    assert cli("data", "show", "x").exit_code == 0
    table.write_text(CSV)
    changed = cli("data", "show", "x")
    assert changed.exit_code == 1
    assert "is not the x that is expected" in changed.stderr
    assert "Import the file again" in changed.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--name", "x"), "looks like the user: name it with --user"),
        (("--name", "x", "--user", "whom", "--item", "what"), "no column 'whom': did you mean"),
        (("--name", "Ä", *NAMED), "A data set's name is small letters"),
        (("--name", "ml-1m", *NAMED), "is the name of a data set in"),
        (("--name", "1m", *NAMED), "is another name of ml-1m"),
        (("--name", "x", *NAMED, "--min-rating", "3"), "min_rating needs ratings"),
        (("--name", "x", *NAMED, "--k-core", "99"), "leaves no interaction"),
        (("--name", "x", *NAMED, "--valid-from", "1"), "belong to --split temporal"),
        (("--name", "x", "--format", "pairs", "--user", "who"), "--user doesn't go with pairs"),
        (("--name", "x", *NAMED, "--time", "who"), "one column is named for two things"),
        (
            ("--name", "x", "--user", "what", "--item", "when", "--time", "who"),
            "'user1' is no number",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(
    table: Path, cli: Run, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = cli("data", "import", str(table), *words)
    assert done.exit_code in (1, 2)
    assert sentence in done.stderr
    assert not (tmp_path / "configs").exists()


def test_a_name_is_replaced_only_if_that_is_said(table: Path, cli: Run) -> None:
    again = ("data", "import", str(table), "--name", "x", *NAMED)
    assert cli(*again).exit_code == 0
    assert "or give --replace" in cli(*again).stderr
    assert cli(*again, "--replace", "--k-core", "3").exit_code == 0
    assert "3-core" in cli("data", "show", "x").stdout


def test_a_derived_set_shares_its_files(table: Path, cli: Run, cli_json: Run) -> None:
    assert cli("data", "import", str(table), "--name", "x", *NAMED).exit_code == 0
    tried = cli_json("data", "show", "x", "--k-core", "3", "--json")
    done = cli("data", "derive", "x", "--name", "x-core", "--k-core", "3")
    assert done.exit_code == 0, done.stderr
    kept = cli_json("data", "show", "x-core", "--json")
    assert kept["statistics"] == tried["statistics"]
    assert kept["checksum"] == tried["checksum"]
    assert kept["checksum"] != cli_json("data", "show", "x", "--json")["checksum"]


def test_what_is_generated_has_statistics_too(cli_json: Run, cli: Run) -> None:
    found = cli_json("data", "show", "synthetic", "--json")
    assert found["statistics"]["users"] == 2000
    assert found["problems"]["timeless"]
    assert "is generated" in cli("data", "show", "synthetic", "--k-core", "3").stderr
