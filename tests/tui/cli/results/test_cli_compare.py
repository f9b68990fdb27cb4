"""`seqbench compare`: the reference's columns in every format, sorted, filtered, to a file."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from floor_stores import STANDINGS, floor_store
from live_runs import LiveStore
from measured_runs import filled_store, give_ranks
from rich.cells import cell_len
from terminals import Terminal

from engine.analysis.columns.offered import DEFAULT
from engine.metrics import REFERENCE_COLUMNS
from engine.store.location import StoreLocation

Run = Callable[..., Result]
RunJson = Callable[..., Any]


def test_nothing_to_compare_is_no_failure(cli: Run, cli_json: RunJson, tmp_path: Path) -> None:
    assert cli_json("compare", "--format", "json") == []
    result = cli("compare")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "There are no runs yet" in result.stderr
    assert not list(tmp_path.glob("runs*"))


@pytest.mark.parametrize("form", [["--by-cell"], ["--pivot"], ["--inflation"]])
def test_why_no_cell_is_shown_is_said_of_this_store(
    held: StoreLocation, empty_store: LiveStore, cli: Run, form: list[str]
) -> None:
    assert "There are no runs yet" in cli("compare", *form).stderr
    empty_store.mark(empty_store.launch("sasrec"), "cancelled")
    assert cli("compare", *form).stderr == "No run is done yet: see `seqbench ls`.\n"
    without = cli("compare", *form, "--filter", "model:bert4rec")
    assert without.stderr == "No run that is done matches.\n"


def test_every_run_has_the_reference_columns_and_validation(
    held: StoreLocation, busy_store: LiveStore, cli_json: RunJson
) -> None:
    rows = cli_json("compare", "--format", "json")
    assert len(rows) == 7
    done = [row for row in rows if row["state"] == "done"]
    assert len(done) == 2
    for row in done:
        absent = {name for name in REFERENCE_COLUMNS if row[name] is None}
        assert absent == {"GPU/Memory(MiB)", "GPU/Utilization(%)"}
        assert row["NDCG@10/valid"] is not None


def test_rows_are_sorted_either_way(
    held: StoreLocation, busy_store: LiveStore, cli_json: RunJson
) -> None:
    def column(*arguments: str, name: str) -> list[Any]:
        rows = cli_json("compare", "--format", "json", *arguments)
        return [row[name] for row in rows if row[name] is not None]

    best = column(name="NDCG@10/test")
    assert best == sorted(best, reverse=True)
    assert column("--sort", "ndcg@10/test:asc", name="NDCG@10/test") == best[::-1]
    lengths = column("--sort", "length:asc", name="length")
    assert lengths == sorted(lengths)
    assert column("--sort", "length:DESC", name="length") == lengths[::-1]
    assert column("--sort", "ndcg", name="NDCG@10/test") == best
    ages = column("--sort", "age", name="created")
    assert ages == sorted(ages, reverse=True)


def test_the_pivots_columns_are_chosen(
    held: StoreLocation, cli: Run, cli_json: RunJson, tmp_path: Path
) -> None:
    store = filled_store(tmp_path)[0]
    give_ranks(store)
    chosen = ("compare", "--pivot", "--columns", "ndcg@20,recall@100,age", "--format", "json")
    result = cli(*chosen)
    assert "The pivot has no age: columns of numbers alone.\n" in result.stderr
    rows = json.loads(result.stdout)
    assert {tuple(row["figures"]) for row in rows} == {("NDCG@20/test", "Recall@100/test")}
    runs = cli_json("compare", "--format", "json", "--columns", "ndcg@20", "--filter", "state:done")
    by_cell = cli_json("compare", "--by-cell", "--format", "json", "--columns", "ndcg@20")
    cells = sorted(row["figures"]["NDCG@20/test"] for row in rows if row["level"] == "length")
    assert cells == pytest.approx(sorted(row["NDCG@20/test"] for row in by_cell))
    assert min(cells) >= min(row["NDCG@20/test"] for row in runs)
    preset = cli_json("compare", "--pivot", "--columns", "items", "--format", "json")
    assert "Gini@10/test" in preset[0]["figures"]
    wrong = cli("compare", "--pivot", "--columns", "age,run")
    assert wrong.exit_code == 2
    assert "age, run: the pivot has columns of numbers alone" in wrong.stderr


def test_pairs_are_tested_at_any_cut_off(
    held: StoreLocation, cli: Run, cli_json: RunJson, tmp_path: Path
) -> None:
    store = filled_store(tmp_path)[0]
    give_ranks(store)
    cells = cli_json("compare", "--by-cell", "--format", "json", "--columns", "mrr@100,mrr@1")
    for k in (1, 100):
        metric = f"MRR@{k}/test"
        tested = cli_json("compare", "--pairs", "--metric", f"mrr@{k}", "--format", "json")
        assert len(tested) == 45
        means = {round(pair[f"mean {side}"], 9) for pair in tested for side in "ab"}
        assert means == {round(cell[metric], 9) for cell in cells}
    run = cli_json("compare", "--format", "json", "--filter", "state:done", "--limit", "1")[0]
    shown = cli("show", run["run"]).stdout.splitlines()
    recalls = [line.split()[1:] for line in shown if line.startswith("Recall  ")]
    heads = [f"Recall@{{}}/test{ranking}" for ranking in ("", " (seen masked)")]
    assert recalls == [
        [f"{run[head.format(k)]:.4f}" for k in (1, 5, 10, 20, 50, 100)] for head in heads
    ]
    figures = cli_json("show", run["run"], "--json")["figures"]
    assert figures["test_mrr_masked_at_50"] == run["MRR@50/test (seen masked)"]
    refused = cli("compare", "--pairs", "--metric", "coverage@10")
    assert "isn't a metric of single test users" in refused.stderr
    report = cli("report", "--metric", "recall@50")
    assert "Quality is Recall@50/test at the epoch chosen on validation" in report.stdout
    assert "Every pair of cells of a data set in Recall@50/test" in report.stdout


def test_filter_and_limit(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    rows = cli_json("compare", "--format", "json", "--filter", "model:bert4rec")
    assert {row["model"] for row in rows} == {"bert4rec"}
    assert len(cli_json("compare", "--format", "json", "--limit", "3")) == 3
    none = cli("compare", "--filter", "nonsense")
    assert (none.exit_code, none.stderr) == (0, "No run matches.\n")


def test_the_formats_agree(held: StoreLocation, busy_store: LiveStore, cli: Run) -> None:
    rows = json.loads(cli("compare", "--format", "json").stdout)
    read = list(csv.DictReader(io.StringIO(cli("compare", "--format", "csv").stdout)))
    assert [row["run"] for row in read] == [row["run"] for row in rows]
    assert list(read[0]) == [name for name in rows[0] if name != "evaluations"]
    assert {"NDCG@10/valid", "checksum", "tags", "note", "created"} <= set(read[0])
    assert float(read[0]["NDCG@10/test"]) == rows[0]["NDCG@10/test"]
    for format_ in ("md", "table"):
        text = cli("compare", "--format", format_).stdout
        positions = [text.index(row["run"]) for row in rows]
        assert positions == sorted(positions)


def test_columns_are_chosen_by_names_of_columns_fields_and_presets(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    named = ["state", "model", "dataset", "length", "seed"]
    rows = cli_json("compare", "--format", "json", "--columns", "ndcg,age", "--columns", "note")
    assert list(rows[0]) == [*named, "NDCG@10/test", "created", "note"]
    cost = cli_json(
        "compare", "--format", "json", "--columns", "cost,LR,learning_rate,architecture.dropout"
    )
    assert list(cost[0])[5:7] == ["NDCG@10/test", "TotalTime"]
    assert list(cost[0])[-3:] == ["lr", "LearningRate", "dropout"]
    head = cli("compare", "--format", "md").stdout.splitlines()[0]
    assert head.split(" | ")[5:] == [*DEFAULT[:-1], f"{DEFAULT[-1]} |"]
    wide = cli("compare", "--format", "md", "--wide").stdout.splitlines()[0]
    assert wide.count(" | ") > 50


def test_cells_have_the_columns_that_their_runs_share(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    chosen = ("compare", "--by-cell", "--columns", "ndcg,suite,run", "--format", "json")
    (cell,) = cli_json(*chosen)
    figures = ["NDCG@10/test", "NDCG@10/test (std)"]
    assert list(cell) == ["model", "dataset", "length", "label", "seeds", *figures, "suite"]
    assert cli(*chosen).stderr == "Cells have no run: columns of runs alone.\n"
    alone = cli("compare", "--by-cell", "--columns", "run,age")
    assert (alone.exit_code, alone.stdout) == (2, "")


def test_everything_fits_a_terminal_of_80_columns(held: StoreLocation, tmp_path: Path) -> None:
    store, runs = filled_store(tmp_path)
    give_ranks(store)
    command = f"{sys.executable} -m tui.cli --db {held.db}"
    shown = (
        "compare",
        "compare --by-cell",
        "compare --pivot",
        "compare --pairs --filter length:50",
    )
    rest = ("compare --inflation", "ls", f"show {runs['sasrec-50-1']}")
    script = "; ".join(f"{command} {words} 2>/dev/null; echo =====" for words in (*shown, *rest))
    terminal = Terminal(["sh", "-c", script])
    assert terminal.read_to_end() == 0
    parts = terminal.output.decode().replace("\r\n", "\n").split("=====\n")
    assert len(parts) == 8
    for text in parts[:-1]:
        assert text
        assert max(map(cell_len, text.splitlines())) <= 80
    for text in parts[:5]:
        assert "--wide shows all columns." in text
    for text in (*parts[:3], parts[4]):
        assert "NDCG@10" in text


def test_another_aggregate_is_marked(held: StoreLocation, busy_store: LiveStore, cli: Run) -> None:
    assert cli("compare", "--format", "json").stderr == ""
    result = cli("compare", "--format", "json", "--aggregate", "max")
    assert "uses the test set" in result.stderr
    assert {row["aggregate"] for row in json.loads(result.stdout)} == {"max"}


def test_cells_are_means_over_seeds(
    held: StoreLocation, busy_store: LiveStore, cli_json: RunJson
) -> None:
    (cell,) = cli_json("compare", "--by-cell", "--format", "json")
    assert cli_json("compare", "--by-cell", "--format", "json", "--limit", "1") == [cell]
    assert (cell["model"], cell["seeds"]) == ("sasrec", 2)
    runs = cli_json("compare", "--format", "json", "--filter", "state:done")
    mean = sum(run["NDCG@10/test"] for run in runs) / 2
    assert abs(cell["NDCG@10/test"] - mean) < 1e-12


def test_a_file_is_written_whole_or_refused_in_a_sentence(
    held: StoreLocation, busy_store: LiveStore, cli: Run, tmp_path: Path
) -> None:
    out = tmp_path / "table.csv"
    result = cli("compare", "--format", "csv", "-o", str(out))
    assert result.stdout == ""
    assert result.stderr == f"Written to {out}.\n"
    assert out.read_bytes().decode() == cli("compare", "--format", "csv").stdout_bytes.decode()
    refused = cli("compare", "-o", str(tmp_path / "absent/table"))
    assert refused.exit_code == 1
    assert "can't be written: No such file or directory." in refused.stderr


def test_the_pivot_in_every_form(
    held: StoreLocation, busy_store: LiveStore, cli: Run, tmp_path: Path
) -> None:
    result = cli("compare", "--pivot", "--aggregate", "max")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("Grand Total (Max)")
    assert "max: maximum over epochs (uses the test set)" in result.stderr
    sheet = tmp_path / "pivot.xlsx"
    assert cli("compare", "--pivot", "--format", "xlsx", "-o", str(sheet)).exit_code == 0
    assert sheet.read_bytes().startswith(b"PK")
    assert "\\toprule" in cli("compare", "--pivot", "--format", "latex").stdout


def test_published_figures_stand_below_ours(
    held: StoreLocation, tmp_path: Path, cli: Run, cli_json: RunJson
) -> None:
    filled_store(tmp_path)
    cell = ("--filter", "model:xlstm length:50")
    plain = cli_json("compare", "--pivot", "--format", "json", *cell)
    rows = cli_json("compare", "--pivot", "--reference", "--format", "json", *cell)
    beside = [row for row in rows if row["level"] not in ("model", "dataset", "length", "total")]
    assert [row for row in rows if row not in beside] == plain
    levels = [row["level"] for row in beside]
    assert levels == ["published", "alike", "difference", "margin", "verdict"]
    name = "NDCG@10/test"
    published, alike, difference, margin, verdict = (row["figures"][name] for row in beside)
    assert difference == alike - published
    assert (verdict == "no difference shown") is (abs(difference) <= margin)
    result = cli("compare", "--pivot", "--reference")
    assert "published (labelled test)" in result.stdout
    assert "compared with our validation max" in result.stderr
    none = cli("compare", "--pivot", "--reference", "--filter", "state:failed")
    assert (none.exit_code, none.stdout) == (0, "")


def test_what_the_maximum_inflates(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    (cell,) = cli_json("compare", "--inflation", "--format", "json")
    (best,) = cli_json("compare", "--by-cell", "--format", "json")
    (most,) = cli_json("compare", "--by-cell", "--format", "json", "--aggregate", "max")
    for name in ("HitRate@10/test", "MRR@10/test", "NDCG@10/test", "Recall@10/test"):
        assert abs(cell[name] - best[name]) < 1e-12
        assert abs(cell[f"{name} (inflation)"] - (most[name] - best[name])) < 1e-12
    result = cli("compare", "--inflation")
    assert "NDCG@10/test" in result.stdout
    assert "Choosing the epoch by NDCG@10/test itself adds" in result.stderr
    none = cli("compare", "--inflation", "--filter", "state:failed")
    assert (none.exit_code, none.stdout) == (0, "")


def test_pairs_of_runs_without_ranks_are_explained(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    result = cli("compare", "--pairs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "its test ranks can't be read (No such file or directory)" in result.stderr
    assert "No two cells of one data set" in result.stderr


def test_of_one_seed_pairs_have_the_reason_and_what_to_run(
    held: StoreLocation, tmp_path: Path, cli: Run, cli_json: RunJson
) -> None:
    store, runs = filled_store(tmp_path)
    give_ranks(store)
    kept = ("compare", "--pairs", "--filter", "seed:1 length:50")
    pairs = cli_json(*kept, "--format", "json")
    assert len(pairs) == 3
    assert {(row["p"], row["a is"], row["over"]) for row in pairs} == {(None, None, "users alone")}
    assert all(
        re.fullmatch(
            r"one seed each: no conclusion; `seqbench run --model \w+,\w+ --dataset ml-100k "
            r"--length 50 --seed 1,2,3 --profile reference`",
            row["why_not"],
        )
        for row in pairs
    )
    shown = cli(*kept)
    assert not re.search("better|worse|shown", shown.stdout + shown.stderr)
    assert "no conclusion: one seed each" in shown.stdout
    # A mistake in the configuration keeps nobody from the results.
    mistaken = tmp_path / "mine"
    mistaken.mkdir()
    (mistaken / "settings.yaml").write_text("slots: [")
    plain = cli_json("--config-dir", str(mistaken), *kept, "--format", "json")
    assert {row["why_not"] for row in plain} == {
        "one seed each: no conclusion; `seqbench run … --seed 1,2,3`"
    }
    two = (runs["sasrec-50-1"], runs["xlstm-50-1"])
    assert cli("--config-dir", str(mistaken), "diff", *two).exit_code == 0


def test_what_does_not_go_together_is_said(cli: Run) -> None:
    for arguments, sentence in (
        (("--pivot", "--pairs"), "are six tables: choose one"),
        (("--pivot", "--inflation"), "are six tables: choose one"),
        (("--inflation", "--sort", "EpochTime"), "--inflation has its own order"),
        (("--inflation", "--aggregate", "max"), "leave out --aggregate"),
        (("--inflation", "--format", "xlsx"), "There is no format 'xlsx'"),
        (("--reference",), "is part of the pivot: add --pivot"),
        (("--pivot", "--limit", "3"), "leave out --sort and --limit"),
        (("--pivot", "--format", "xlsx"), "A sheet needs a file"),
        (("--pairs", "--columns", "ndcg"), "chooses columns of runs, of --by-cell and of --pivot"),
        (("--wide", "--columns", "ndcg"), "leave it, or leave --columns"),
        (("--columns", "ndgc"), "There is no column 'ndgc': did you mean 'ndcg'?"),
        (("--columns", "nonsense"), "There is no column 'nonsense': name one such as ndcg"),
        (("--pairs", "--metric", "EpochTime"), "isn't a metric of single test users"),
        (("--pairs", "--sort", "EpochTime"), "isn't a metric of single test users"),
        (("--metric", "NDCG@10/test"), "--sort orders the runs"),
        (("--pairs", "--format", "xlsx"), "There is no format 'xlsx'"),
    ):
        result = cli("compare", *arguments)
        assert result.exit_code == 2, arguments
        assert sentence in result.stderr
        assert result.stdout == ""


def test_the_floor_is_a_column_and_a_side_of_pairs(
    held: StoreLocation, tmp_path: Path, cli: Run, cli_json: RunJson
) -> None:
    floor_store(tmp_path)
    chosen = ("compare", "--by-cell", "--columns", "NDCG,vs floor,floor", "--format", "csv")
    head, *rows = cli(*chosen).stdout.splitlines()
    assert head.split(",")[-2:] == ["vs floor", "floor"]
    assert {row.split(",")[-2] for row in rows} == {"", *STANDINGS.values()}
    (row,) = cli_json("compare", "--pairs", "--filter", "model:xlstm", "--format", "json")
    assert (row["a vs floor"], row["b vs floor"]) == ("below", "the floor")
    shown = cli("compare", "--pairs", "--filter", "model:xlstm,bert4rec")
    assert "Markov counts (floor)" in shown.stdout
    assert "▽: below it" in shown.stderr
    assert "and, apart from these, the 2 cells compared with the floor" in " ".join(
        shown.stderr.split()
    )
