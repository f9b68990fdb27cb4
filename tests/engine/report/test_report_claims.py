"""What a report claims of stores that miss a condition for it: one seed, ties, no hits, unfinished
training, one model."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from measured_runs import MeasuredStore
from report_words import lines_of, made, words
from reported_runs import reported_store

from engine.report.gather import Wanted

Change = Callable[[MeasuredStore], None]
EQUAL = np.arange(1, 91, dtype=np.int32).repeat(2).reshape(90, 2).T


def give(store: MeasuredStore, ranks: np.ndarray, only: str = "") -> None:
    """Replace the test ranks of all runs that have some, or of one model's."""
    for folder in store.location.folders():
        if folder.test_ranks.exists() and folder.run_id.startswith(only):
            np.save(folder.test_ranks, ranks, allow_pickle=False)


def mark(store: MeasuredStore, model: str, mark: str) -> None:
    """Mark one run of a model's cell."""
    done = (folder for folder in store.location.folders() if folder.test_ranks.exists())
    run = min(folder.run_id for folder in done if folder.run_id.startswith(f"{model}-"))
    store.set(run, marks=mark)


def no_hit(store: MeasuredStore) -> None:
    give(store, np.full((2, 90), 500, np.int32))


def equal(store: MeasuredStore) -> None:
    give(store, EQUAL)


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        pytest.param(
            no_hit,
            "",
            r"no model is shown to be best in NDCG@10/test: bert4rec L50, sasrec L50 and "
            r"xlstm L50 have no hit among 90 users \[0\.0000, 0\.0402\]\. No difference is "
            r"shown\.",
            id="no hit",
        ),
        pytest.param(
            equal,
            "",
            r"no model is shown to be best in NDCG@10/test: bert4rec L50, sasrec L50 and "
            r"xlstm L50 0\.0505 \[0\.\d{4}, 0\.\d{4}\] each\. No difference is shown\.",
            id="equal",
        ),
        pytest.param(
            lambda store: give(store, EQUAL, "sasrec"),
            "model:sasrec seed:1,2",
            r"sasrec L50 alone, with NDCG@10/test 0\.0505 \[0\.\d{4}, 0\.\d{4}\]: there is "
            r"nothing to compare it with\.",
            id="one model",
        ),
        pytest.param(
            lambda store: None,
            "seed:1,2",
            r"no model is shown to be best.* sasrec L50 is shown to be above xlstm L50 \(.*\); "
            r"bert4rec L50 is shown to be above xlstm L50 \(.*\); no other difference is shown\.",
            id="two seeds",
        ),
        pytest.param(
            lambda store: mark(store, "xlstm", "still-improving"),
            "",
            r"no model is shown to be best.* xlstm L50 was still improving at its epoch "
            r"limit: no conclusion; `seqbench run --model xlstm --dataset ml-100k --length 50 "
            r"--seed 1,2,3 --profile reference --set epochs=600`\.",
            id="unfinished",
        ),
        pytest.param(
            lambda store: mark(store, "xlstm", "changed-data"),
            "",
            r"no model is shown to be best.* the data of xlstm L50 are marked changed-data: "
            r"no conclusion\.",
            id="changed data",
        ),
    ],
)
def test_the_headline_says_what_is_shown_and_what_can_not_be(
    tmp_path: Path, change: Change, where: str, said: str
) -> None:
    store = reported_store(tmp_path)
    change(store)
    (line,) = lines_of(made(store, Wanted(filter=where)), "In short", start="- ")
    assert re.fullmatch(rf"- ml-100k: {said}.*", line), line


@pytest.mark.parametrize("why", ["still-improving", "changed-data"])
def test_a_marked_cell_is_in_no_claim_of_quality(tmp_path: Path, why: str) -> None:
    store = reported_store(tmp_path)
    mark(store, "xlstm", why)
    report = made(store, Wanted())
    told = re.findall(r"NDCG@10/test of \d\.[^;|]*", words(report, "Trade-offs"))
    assert len(told) == 2, "of the two others, one above and one below"
    assert all("xlstm" not in sentence for sentence in told)
    rows = [line for line in lines_of(report, "Which differences are shown") if "xlstm" in line]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows if "|" in row]
    assert len(cells) == 3
    assert {cell[7] for cell in cells} == {"–"}
    assert all(cell[9].startswith("no conclusion: ") for cell in cells)
