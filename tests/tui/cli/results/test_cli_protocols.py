"""``compare --protocols`` and the report's section: real runs under several rules."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from scipy import stats
from timed_runs import timed_data, timed_run

from engine.results.evaluations import read_evaluation_ranks
from engine.results.files import read_ranks
from engine.results.users import mean_by_user
from engine.runfolder import RunFolder
from engine.store.location import StoreLocation

Run = Callable[..., Result]
RunJson = Callable[..., Any]

TEMPORAL = {"kind": "temporal", "valid_share": 0.2, "test_share": 0.2}
MODELS = ("popularity", "markov", "item-knn")
OWN, LAST = "temporal valid_share=0.2 test_share=0.2, successive", "last (evaluated)"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run) -> dict[str, RunFolder]:
    """Three fitted models under leave-one-out and by time, where they are evaluated under another
    rule too; and one that isn't evaluated."""
    timed_data(monkeypatch, tmp_path)
    runs = tmp_path / "runs"
    made = {f"{m}-time": timed_run(runs, f"{m}-time", m, TEMPORAL) for m in MODELS}
    made |= {f"{m}-loo": timed_run(runs, f"{m}-loo", m, {}, name="whole") for m in MODELS[:2]}
    assert cli("db", "rebuild").exit_code == 0
    assert cli("evaluate", *list(made)[:3], "--targets", "last").exit_code == 0
    return made


def ndcg(ranks: np.ndarray, users: np.ndarray | None) -> float:
    gains = np.where(ranks[0] <= 10, 1 / np.log2(1.0 + ranks[0]), 0)
    return float(mean_by_user(gains, users).mean())


def test_cells_are_ranked_under_each_rule(
    folders: dict[str, RunFolder], cli: Run, cli_json: RunJson
) -> None:
    (found,) = cli_json("compare", "--protocols", "--format", "json")
    assert found["datasets"] == ["mine", "whole"]
    expected = {
        OWN: {m: ndcg(*read_ranks(folders[f"{m}-time"])) for m in MODELS},
        "leave-one-out": {m: ndcg(*read_ranks(folders[f"{m}-loo"])) for m in MODELS[:2]},
        OWN.replace("successive", LAST): {
            m: ndcg(*read_evaluation_ranks(folders[f"{m}-time"], "temporal-last")) for m in MODELS
        },
    }
    assert {each["rule"] for each in found["rankings"]} == set(expected)
    for ranking in found["rankings"]:
        own = {f"{m} L6": value for m, value in expected[ranking["rule"]].items()}
        cells = ranking["cells"]
        assert {each["cell"]: each["NDCG@10/test"] for each in cells} == pytest.approx(own)
        assert ranking["first"] == max(own, key=lambda name: own[name])
        assert ranking["evaluated"] == ("evaluated" in ranking["rule"])
        assert [each["place"] for each in cells] == [
            1 + sum(other > own[each["cell"]] for other in own.values()) for each in cells
        ]
    for each in found["agreements"]:
        a, b = (expected[each[name]] for name in ("rule", "other_rule"))
        common = sorted(a.keys() & b.keys())
        assert each["cells"] == len(common)
        tau = None
        if len(common) > 2:
            tau = stats.kendalltau([a[m] for m in common], [b[m] for m in common]).statistic
        assert each["kendall_tau_b"] == (tau if tau is None else pytest.approx(tau))
    assert len(found["agreements"]) == len(list(combinations(expected, 2)))

    table = cli("compare", "--protocols")
    assert "fewer than 3 cells" in table.stdout
    assert "ranked under another one" in table.stderr
    csv = cli("compare", "--protocols", "--format", "csv").stdout.splitlines()
    assert len(csv) == 1 + sum(map(len, expected.values()))


def test_the_report_says_who_is_first_under_which_rule(
    folders: dict[str, RunFolder], cli: Run, cli_json: RunJson, tmp_path: Path
) -> None:
    (found,) = cli_json("compare", "--protocols", "--format", "json", "--metric", "recall@5")
    assert cli("report", "--metric", "recall@5", "-o", str(tmp_path / "r.md")).exit_code == 0
    text = (tmp_path / "r.md").read_text()
    section = text.partition("## Does the winner change with the protocol?")[2]
    section = section.partition("\n## ")[0]
    for ranking in found["rankings"]:
        first = ranking["cells"][0]
        row = f"| {ranking['first']} | {first['Recall@5/test']:.4f} |".replace("_", "\\_")
        assert row in section
    taus = [each["kendall_tau_b"] for each in found["agreements"]]
    assert any(f"| {tau:.2f} |".replace("-", "−") in section for tau in taus if tau is not None)


def test_cells_of_two_recipes_are_two(folders: dict[str, RunFolder], cli: Run) -> None:
    other = json.loads(folders["markov-time"].spec.read_text())
    other["spec"]["profile"] = "of-mine"
    twin = RunFolder(folders["markov-time"].path.with_name("twin"))
    shutil.copytree(folders["markov-time"].path, twin.path)
    twin.spec.write_text(json.dumps(other))
    assert cli("db", "rebuild").exit_code == 0
    (found,) = json.loads(cli("compare", "--protocols", "--format", "json").stdout)
    for ranking in found["rankings"]:
        names = [each["cell"] for each in ranking["cells"]]
        assert len(set(names)) == len(names) == (2 if ranking["rule"] == "leave-one-out" else 4)


def test_what_only_some_rules_ranked_is_no_first_of_all(
    folders: dict[str, RunFolder], cli: Run
) -> None:
    """The best under a rule of its own isn't what another cell is said to be."""
    best = folders["item-knn-time"].test_ranks
    np.save(best, np.ones_like(np.load(best, allow_pickle=False)))
    found = cli("compare", "--protocols", "--format", "json")
    (told,) = json.loads(found.stdout)
    (own,) = (each for each in told["rankings"] if each["rule"] == OWN)
    assert own["first"] == "item-knn L6"
    assert own["first_is_shown"]
    said = found.stderr.splitlines()[0]
    first, shown = said.removeprefix("mine, whole: ").split(". ")[:2]
    assert first == (
        "Of the 2 cells that were ranked under each rule, markov L6 is first under all 3 rules"
    )
    assert shown.startswith("The first is shown to be above every other cell under ")
    assert OWN not in shown


def test_ranks_that_were_changed_are_left_out_with_a_sentence(
    folders: dict[str, RunFolder], cli: Run
) -> None:
    ranks = folders["markov-time"].evaluation_ranks("temporal-last")
    ranks.write_bytes(ranks.read_bytes() + b"?")
    said = cli("compare", "--protocols", "--format", "json")
    assert "markov-time is left out under temporal-last: its ranks can't be read" in said.stderr
    (found,) = json.loads(said.stdout)
    (last,) = (each for each in found["rankings"] if each["evaluated"])
    assert {each["cell"] for each in last["cells"]} == {"popularity L6", "item-knn L6"}


def test_a_rule_under_which_one_cell_was_ranked_hides_nothing(
    folders: dict[str, RunFolder], cli: Run
) -> None:
    before = cli("compare", "--protocols").stderr
    assert "Left out" not in before
    assert cli("evaluate", "markov-time", "--targets", "first").exit_code == 0
    said = cli("compare", "--protocols", "--format", "json")
    first = OWN.replace("successive", "first (evaluated)")
    assert f"Left out, as a single cell was ranked: “{first}”." in said.stderr
    left = said.stderr.replace(f" Left out, as a single cell was ranked: “{first}”.", "")
    assert left == before
    (found,) = json.loads(said.stdout)
    assert first in {each["rule"] for each in found["rankings"]}
    compared = {each[name] for each in found["agreements"] for name in ("rule", "other_rule")}
    assert first not in compared
    assert len(compared) == 3


def test_one_rule_alone_is_nothing_to_compare(held: StoreLocation, cli: Run) -> None:
    said = cli("compare", "--protocols")
    assert said.exit_code == 0
    assert said.stderr.startswith("No data were measured under two rules: `seqbench evaluate`")
    assert cli("compare", "--protocols", "--format", "json").stdout == "[]\n"
    wrong = cli("compare", "--protocols", "--pairs")
    assert "are six tables: choose one" in wrong.stderr
