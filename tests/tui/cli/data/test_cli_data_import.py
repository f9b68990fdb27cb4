"""``data import`` of files as people have them: what is found, said, kept and advised."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

Run = Callable[..., Any]

ROWS = [(f"u{step % 4}", f"i{step * 3 % 7}", 1_600_000_000 - 60 * step) for step in range(40)]
CSV = "user_id,item_id,timestamp\n" + "".join(f"{user},{item},{at}\n" for user, item, at in ROWS)


@pytest.fixture
def checksum(tmp_path: Path, no_data: None, cli_json: Run) -> Callable[..., str]:
    """Import a file of this content, keep nothing, and return its checksum."""

    def read(name: str, content: str | bytes, *words: str) -> str:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        found = cli_json(
            "data", "import", str(tmp_path / name), "--name", "x", "--dry-run", "--json", *words
        )
        assert found["problems"]["timeless"] is False
        return str(found["checksum"])

    return read


@pytest.fixture
def refused(tmp_path: Path, no_data: None, cli: Run) -> Callable[..., str]:
    """Import a file that is refused, and return the sentence."""

    def read(name: str, content: str | bytes, *words: str) -> str:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        done = cli("data", "import", str(tmp_path / name), "--name", "x", "--dry-run", *words)
        assert done.exit_code in (1, 2), done.output
        assert "report" not in done.stderr
        return str(done.stderr)

    return read


def inter(time: str, *, user: str = "user_id", separator: str = "\t") -> str:
    header = separator.join([f"{user}:token", "item_id:token", f"{time}:float"])
    return f"{header}\n" + "".join(
        separator.join(map(str, (user, item, float(at)))) + "\n" for user, item, at in ROWS
    )


def test_fields_of_recbole_have_any_name(checksum: Callable[..., str]) -> None:
    expected = checksum("x.csv", CSV)
    assert checksum("x.inter", inter("timestamp")) == expected
    assert checksum("x.inter", inter("time")) == expected
    assert checksum("x.inter", inter("unix", user="uid"), "--time", "unix") == expected
    assert (
        checksum("x.inter", inter("unix", user="who"), "--time", "unix:float", "--user", "who")
        == expected
    )
    assert checksum("x.inter", inter("ts", separator=","), "--separator", ",") == expected


@pytest.mark.parametrize(
    ("time", "unit", "sentence"),
    [
        (lambda at: at, "seconds", "read as seconds since 1970."),
        (lambda at: f"{at}.5", "seconds", "read as seconds since 1970."),
        (lambda at: at * 1_000, "milliseconds", "read as milliseconds since 1970."),
        (lambda at: at * 10**6, "microseconds", "read as microseconds since 1970."),
        (lambda at: at * 10**9, "nanoseconds", "read as nanoseconds since 1970."),
        (lambda at: at * 1e9, "nanoseconds", "read as nanoseconds since 1970."),
        (lambda at: at - 1_599_990_000, "seconds", "read as seconds since a start of their own"),
        (lambda at: datetime.fromtimestamp(at, UTC).isoformat(), None, ""),
    ],
)
def test_the_unit_that_is_recognised_is_said(
    tmp_path: Path,
    no_data: None,
    cli: Run,
    cli_json: Run,
    checksum: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    time: Callable[[int], object],
    unit: str | None,
    sentence: str,
) -> None:
    monkeypatch.setenv("SEQBENCH_CACHE", str(tmp_path / "cache"))
    content = "user_id,item_id,timestamp\n" + "".join(
        f"{user},{item},{time(at)}\n" for user, item, at in ROWS
    )
    assert checksum("x.csv", content) == checksum("y.csv", CSV)
    done = cli("data", "import", str(tmp_path / "x.csv"), "--name", "x")
    assert f"The times are numbers, {sentence}" in done.stdout or not sentence
    assert ("The times are numbers" in done.stdout) == bool(sentence)
    for _ in range(2):  # read, then from the prepared copy
        assert cli_json("data", "show", "x", "--json")["time_unit"] == unit
        assert sentence in cli("data", "show", "x").stdout


def test_what_is_left_out_is_said(tmp_path: Path, no_data: None, cli: Run, cli_json: Run) -> None:
    path = tmp_path / "x.inter"
    path.write_text(
        inter("played_at").replace("\titem", "\tnote:token\titem", 1).replace("\ti", "\t-\ti")
    )
    path.write_text(path.read_text().replace("note:token\t-\t", "note:token\t", 1))
    done = cli("data", "import", str(path), "--name", "x", "--dry-run")
    assert "user user_id:token; item item_id:token; left out: note:token; played" in done.stdout
    assert "! No column of times was found: if 'played_at:float' has them" in done.stdout
    found = cli_json("data", "import", str(path), "--name", "x", "--dry-run", "--json")
    assert found["columns"] == {"user": "user_id:token", "item": "item_id:token"}
    assert found["left_out"] == ["note:token", "played_at:float"]
    assert len(found["notes"]) == 1


def test_lines_end_in_any_way(checksum: Callable[..., str]) -> None:
    mixed = CSV.replace("\n", "\r\n", 9).replace("\n", "\r", 20)
    assert checksum("x.csv", CSV.replace("\n", "\r")) == checksum("x.csv", CSV)
    assert checksum("x.csv", mixed) == checksum("x.csv", CSV)


def test_quoted_names_with_separators(checksum: Callable[..., str]) -> None:
    quoted = CSV.replace("user_id,item_id,timestamp", '"Customer, no.","The\nitem","When, UTC"')
    words = ("--user", "Customer, no.", "--item", "The\nitem", "--time", "When, UTC")
    assert checksum("x.csv", quoted, *words) == checksum("x.csv", CSV)


def test_a_missing_time_gets_the_same_sentence_in_every_form(
    tmp_path: Path, refused: Callable[..., str]
) -> None:
    users, items, times = (list(column) for column in zip(*ROWS, strict=True))
    gap = [None if at == 17 else time for at, time in enumerate(times)]
    table = pa.table(
        {"user_id": users, "item_id": items, "timestamp": pa.array(gap).cast(pa.timestamp("s"))}
    )
    parquet.write_table(table, tmp_path / "held")
    lines = CSV.splitlines()
    lines[18] = lines[18].rpartition(",")[0] + ","
    said = [
        refused("x.parquet", (tmp_path / "held").read_bytes()).replace(
            ".parquet, row 18", ", HERE"
        ),
        refused("x.csv", "\n".join(lines)).replace(".csv, line 19", ", HERE"),
    ]
    assert "HERE: the time is empty (column 'timestamp', in 1 of 40 records)" in said[0]
    assert said[0] == said[1]


def test_the_first_wrong_record_is_named(refused: Callable[..., str]) -> None:
    days = "".join(
        f"{n % 4},{n % 7},{'2021-02-30' if n == 33 else '2021-03-01'}\n" for n in range(60)
    )
    said = refused("x.csv", "user,item,date\n" + days)
    assert "line 35: the time '2021-02-30' is no date (column 'date', in 1 of 60 records)" in said


def test_lists_of_items_are_histories(
    tmp_path: Path, no_data: None, checksum: Callable[..., str]
) -> None:
    users = sorted({user for user, _, _ in ROWS})
    own = [[(item, at) for user, item, at in ROWS if user == each] for each in users]
    lists = {
        "user_id": users,
        "item_id_list": [[item for item, _ in each] for each in own],
        "timestamp_list": [[at for _, at in each] for each in own],
    }
    parquet.write_table(pa.table(lists), tmp_path / "held")
    expected = checksum("x.csv", CSV)
    assert checksum("x.parquet", (tmp_path / "held").read_bytes()) == expected
    rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    assert checksum("x.jsonl", "\n".join(map(json.dumps, rows))) == expected


def test_lists_that_are_written_as_text_are_no_item(refused: Callable[..., str]) -> None:
    said = refused("x.csv", 'user,item\na,"[1, 2]"\nb,"[3]"\n')
    assert "line 2: the item '[1, 2]' is a list written as text (column 'item')" in said
    assert "looks like the item" in refused("x.csv", "user,sequence\na,1 2 3\n")
    header = "user_id:token\titem_id_list:token_seq\n"
    assert "looks like the item" in refused("x.inter", header + "a\t1 2\n")
    words = ("--item", "item_id_list")
    assert "'item_id_list:token_seq' holds lists" in refused("x.inter", header + "a\t1 2\n", *words)


def test_a_table_without_a_header(
    checksum: Callable[..., str], refused: Callable[..., str]
) -> None:
    bare = CSV.split("\n", 1)[1]
    positions = ("--no-header", "--user", "1", "--item", "2", "--time", "3")
    expected = checksum("x.csv", CSV)
    assert checksum("x.csv", bare, *positions) == expected
    assert (
        checksum(
            "x.dat", bare.replace(",", "::"), "--format", "csv", "--separator", "::", *positions
        )
        == expected
    )
    assert "first row looks like data: if it isn't a header, give --no-header" in refused(
        "x.csv", bare
    )
    assert "give the columns by position, from 1 to 3" in refused("x.csv", bare, "--no-header")
    words = ("--no-header", "--user", "1", "--item", "4")
    assert "--item '4' isn't a column's position: the first row has 3" in refused(
        "x.csv", bare, *words
    )
    assert "leave out --no-header" in refused("x.csv", CSV, *positions)
    assert "--no-header doesn't go with inter" in refused("x.inter", inter("time"), *positions)


def test_a_first_row_of_data_that_was_taken_for_names_is_said(
    tmp_path: Path, no_data: None, cli: Run
) -> None:
    (tmp_path / "x.csv").write_text("u,1,500\n" + "".join(f"u,{n},{n}\n" for n in range(9)))
    words = ("--name", "x", "--dry-run", "--user", "u", "--item", "1")
    done = cli("data", "import", str(tmp_path / "x.csv"), *words)
    assert (
        "! The first row, 'u', '1', '500', is read as a header but looks like data" in done.stdout
    )
    (tmp_path / "x.csv").write_text("0,1,2\n" + "".join(f"u,{n},{n}\n" for n in range(9)))
    done = cli(
        "data",
        "import",
        str(tmp_path / "x.csv"),
        "--name",
        "x",
        "--dry-run",
        "--user",
        "0",
        "--item",
        "1",
    )
    assert "looks like data" not in done.stdout  # as pandas names columns that have none


def test_what_is_the_trouble_is_advised(refused: Callable[..., str]) -> None:
    assert "separated by ';': give --separator ';'" in refused("x.csv", CSV.replace(",", ";"))
    assert "separated by tab: give --separator tab" in refused("x.csv", CSV.replace(",", "\t"))
    assert "give its --encoding, such as utf-16" in refused("x.csv", CSV.encode("utf-16-le"))
    assert "give another --encoding" in refused(
        "x.csv", CSV.encode("utf-16"), "--encoding", "utf-8"
    )
    assert "say how it is compressed with --packing" in refused(
        "x.csv.gz", gzip.compress(CSV.encode())[:-30]
    )
    assert "is a zip of 0 files" in refused("x.csv", b"PK\x05\x06" + bytes(18), "--packing", "zip")
    assert "give --format jsonl" in refused("x.csv", '{"user": "a;b"}\n')
    assert "There is no encoding 'utf8000'" in refused("x.csv", CSV, "--encoding", "utf8000")
    assert "its first line is 'user_id,item_id,timestamp'" in refused("x.dat", CSV)
    assert "two columns 'item_id'" in refused("x.csv", CSV.replace("timestamp", "item_id"))
    assert "none of them a quote" in refused("x.csv", CSV, "--separator", '"')


def test_ids_that_are_no_text_in_utf8_are_said(tmp_path: Path, no_data: None, cli: Run) -> None:
    (tmp_path / "x.csv").write_bytes(CSV.replace("u0", "é").encode("latin-1"))
    words = ("data", "import", str(tmp_path / "x.csv"), "--name", "x", "--dry-run")
    assert "! Some ids aren't valid UTF-8: give the --encoding" in cli(*words).stdout
    assert "UTF-8" not in cli(*words, "--encoding", "latin-1").stdout


def test_a_file_or_folder_that_yaml_could_not_name_is_refused(
    tmp_path: Path, no_data: None, cli: Run
) -> None:
    odd = tmp_path / os.fsdecode(b"lab\xff")
    odd.mkdir()
    for path, words in ((tmp_path / f"{odd.name}.csv", ()), (odd / "x.csv", ("--in-place",))):
        path.write_text(CSV)
        done = cli("data", "import", str(path), "--name", "x", *words)
        assert (done.exit_code, "isn't a name in UTF-8: rename it." in done.stderr) == (2, True)
        assert not (tmp_path / "configs").exists()
    assert cli("data", "import", str(odd / "x.csv"), "--name", "x").exit_code == 0


AMAZON = {
    "2014": ("reviewerID", "asin", "unixReviewTime", {"overall": 5.0, "helpful": [0, 0]}),
    "2018": ("reviewerID", "asin", "unixReviewTime", {"vote": "3", "style": {"Size:": "L"}}),
    "2023": ("user_id", "parent_asin", "timestamp", {"asin": "B0", "images": [], "rating": 5.0}),
}


@pytest.mark.parametrize("year", AMAZON)
@pytest.mark.parametrize("name", ["Toys_5.json.gz", "Toys.jsonl", "x.txt"])
def test_reviews_of_amazon(checksum: Callable[..., str], year: str, name: str) -> None:
    user, item, time, more = AMAZON[year]
    times = [at * 1000 if year == "2023" else at for _, _, at in ROWS]
    lines = [
        json.dumps({**more, user: row[0], item: row[1], time: at, "reviewText": 'ok, "fine"\n'})
        for row, at in zip(ROWS, times, strict=True)
    ]
    content = "\n".join(lines).encode()
    packed = gzip.compress(content) if name.endswith(".gz") else content
    words = ("--format", "jsonl") if name == "x.txt" else ()
    assert checksum(name, packed, *words) == checksum("x.csv", CSV)


def test_a_header_in_the_middle_is_no_row(
    tmp_path: Path, checksum: Callable[..., str], cli_json: Run
) -> None:
    header, body = CSV.split("\n", 1)
    lines = body.splitlines(keepends=True)
    joined = "".join([header, "\n", *lines[:20], header, "\n", *lines[20:]])
    assert checksum("x.csv", joined) == checksum("x.csv", CSV)
    path = tmp_path / "pairs.txt"
    path.write_text("user item\n1 2\n1 3\n1 4\nuser item\n2 2\n2 3\n2 4\n")
    found = cli_json(
        "data", "import", str(path), "--name", "x", "--format", "pairs", "--dry-run", "--json"
    )
    assert (found["statistics"]["users"], found["statistics"]["interactions"]) == (2, 6)


def test_what_was_said_is_kept(tmp_path: Path, no_data: None, cli: Run, cli_json: Run) -> None:
    bare = CSV.split("\n", 1)[1].replace("u0", "é").replace(",", "::")
    path = tmp_path / "x.dat"
    path.write_bytes(gzip.compress(bare.encode("cp1252")))
    words = (
        "--format csv --no-header --separator :: --user 1 --item 2 --time 3 --encoding cp1252 "
        "--packing gzip"
    )
    done = cli("data", "import", str(path), "--name", "x", *words.split())
    assert done.exit_code == 0, done.stderr
    kept = yaml.safe_load((tmp_path / "configs/datasets/x.yaml").read_text())
    assert kept["columns"] == {
        "user": "1", "item": "2", "time": "3", "separator": "::", "header": False,
    }  # fmt: skip
    assert (kept["encoding"], kept["packing"]) == ("cp1252", "gzip")
    assert cli("data", "verify", "x").exit_code == 0
    first = cli_json("data", "show", "x", "--json")["checksum"]
    again = cli_json(
        "data", "import", str(path), "--name", "y", *words.split(), "--dry-run", "--json"
    )
    assert again["checksum"] == first


def test_fields_of_recbole_are_kept_only_where_they_differ(
    tmp_path: Path, no_data: None, cli: Run
) -> None:
    for name, time in (("same", "timestamp"), ("other", "time")):
        (tmp_path / "x.inter").write_text(inter(time))
        assert cli("data", "import", str(tmp_path / "x.inter"), "--name", name).exit_code == 0
    kept = {
        name: yaml.safe_load((tmp_path / f"configs/datasets/{name}.yaml").read_text())
        for name in ("same", "other")
    }
    assert "columns" not in kept["same"]
    assert kept["other"]["columns"]["time"] == "time:float"
