"""Sections on the environment of the runs and on how to reproduce them."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from engine.analysis.comparison import Row
from engine.analysis.provenance import filter_of, rule_of, split_of
from engine.analysis.refits import is_refit
from engine.analysis.run.relaunch import relaunch_command, suite_command
from engine.config import Catalogue
from engine.evaluated import ceiling_of
from engine.report.blocks import Block, Commands, Paragraph, Section, table
from engine.report.gather import Material
from engine.report.wording import ABSENT, day
from engine.spec import SplitRule

_FACTS = (
    ("device", "device"),
    ("dtype", "numbers of the model's layers"),
    ("threads", "threads"),
    ("code", "seqbench"),
    ("torch", "PyTorch"),
    ("python", "Python"),
    ("protocol", "protocol"),
)
_DATA = ("users", "items", "interactions")


def environment(material: Material) -> Section:
    """Make the section on devices, versions and data."""
    done = material.done
    rows = []
    for key, title in _FACTS:
        counts = Counter(_text(_fact(material, row, key)) for row in done)
        rows += [[title if not place else "", value, str(number)]
                 for place, (value, number) in enumerate(counts.most_common())]  # fmt: skip
    ended = [r.finished for r in material.runs.values() if r.state == "done" and r.finished]
    blocks: list[Block] = [
        table(["", "", "runs"], rows, figures=(2,), caption="Hardware and software"),
        *_data(material),
    ]
    if ended:
        first, last = day(min(ended)), day(max(ended))
        span = f"on {first}" if first == last else f"from {first} to {last}"
        blocks.append(Paragraph(f"The runs ended {span} (UTC).", quiet=True))
    return Section("Environment", tuple(blocks))


_VALIDATION_TOO = "trained on validation too"


def _data(material: Material) -> Iterator[Block]:
    """Yield what the runs recorded of their data: each data set with its split and filter, and whom
    the split evaluates."""
    used: Counter[tuple[str, ...]] = Counter()
    evaluated: dict[tuple[str, ...], None] = {}
    ceilings: dict[str, None] = {}
    for row in sorted(material.done, key=is_refit):  # the runs that they refit first
        run = str(row["run"])
        spec, start = material.specs.get(run, {}), material.starts.get(run, {})
        place = (str(row["dataset"]), str(row["checksum"] or ABSENT)[:12])
        kind, split = (split_of(spec) or ABSENT).partition(" ")[0], _split_text(spec, start)
        too = f", {_VALIDATION_TOO}" if "chosen" in start else ""
        counts = (_text(start.get(name)) for name in _DATA)
        trained = _recorded(start, "train_interactions")
        used[(*place, split, filter_of(spec) or ABSENT, *counts, trained)] += 1
        for name, title in (("valid", "validation"), ("test", "test")):
            if name == "valid" and "chosen" in start:
                continue  # a refit is trained on it
            shares = (_share(start, name, what) for what in ("cold", "tied"))
            users = _recorded(start, f"{name}_users")
            ranked = start.get(f"{name}_targets", start.get(f"{name}_users"))
            new = _recorded(start, f"{name}_cold_users")
            targets = _text(ranked) if ranked is not None else "not recorded"
            evaluated[(*place, f"{kind}{too}", title, users, new, targets, *shares)] = None
        ceiling = ceiling_of(start)
        if ceiling is not None and ceiling.cold:
            ceilings[
                f"On {row['dataset']} ({row['split']}{too}) every metric of a model that knows "
                f"only training items is {ceiling.words}."
            ] = None
    yield table(
        ["data set", "checksum", "split", "filter", *_DATA, "trained on", "runs"],
        [[*key, str(number)] for key, number in used.items()],
        figures=(4, 5, 6, 7, 8),
        caption="Data as used",
    )
    yield table(
        [
            "data set",
            "checksum",
            "split",
            "",
            "users evaluated",
            "not in training",
            "items ranked",
            "cold items",
            "decided by a tie",
        ],
        list(evaluated),
        figures=(4, 5, 6, 7, 8),
        caption="Who is evaluated",
    )
    yield Paragraph(
        "Each user counts once, on one held-out item or on the mean of several. An item is cold if "
        "it occurs in no training interaction, and decided by a tie if the user's interaction "
        "before or after it has the same time, so that the order of the file decides which of the "
        "two is ranked or, where both are, which is in the other's history. All of "
        "this is as the runs recorded it.",
        quiet=True,
    )
    yield from map(Paragraph, ceilings)


def _split_text(spec: Mapping[str, Any], start: Mapping[str, Any]) -> str:
    """Describe a run's split; of a temporal one with its shares, and its moments if the run
    recorded them."""
    if "chosen" in start:
        period = f" test from {start['test_from']}," if start.get("test_from") else ""
        return f"{split_of(spec) or ABSENT},{period} {_VALIDATION_TOO}"
    told, given = split_of(spec) or ABSENT, rule_of(spec, "split")
    if not isinstance(given, dict) or given.get("kind") != "temporal":
        return told
    rule = SplitRule().model_dump() | given
    ranked = "first" if spec.get("protocol") == 1 else rule["targets"]
    one = "" if ranked == "successive" else f", the {ranked} item of each user"
    if rule["quantile"] is not None:
        told = f"temporal, quantile {rule['quantile']}"
    elif rule["valid_from"] is None:
        told = f"temporal, shares {rule['valid_share']} and {rule['test_share']}"
    valid, test = start.get("valid_from"), start.get("test_from")
    if not valid or not test:
        return f"{told}{one}"
    how = told if rule["valid_from"] is None else "temporal"
    return f"{how}{one}: validation from {valid}, test from {test}"


def _share(start: Mapping[str, Any], split: str, what: str) -> str:
    """Write how many of the items that a split ranks are such, and their share."""
    ranked = start.get(f"{split}_targets", start.get(f"{split}_users"))
    found = start.get(f"{split}_{what}")
    if isinstance(ranked, int) and isinstance(found, int) and ranked:
        return f"{found:,} ({100 * found / ranked:.1f} %)"
    if f"{split}_{what}" in start and found is None:
        return "no times"
    return _recorded(start, f"{split}_{what}")


def _recorded(start: Mapping[str, Any], name: str) -> str:
    return _text(start[name]) if start.get(name) is not None else "not recorded"


def reproduction(material: Material, catalogue: Catalogue | None) -> Section:
    """Make the section with the command that repeats each row's runs."""
    blocks: list[Block] = []
    if material.suite_runs is not None:
        blocks += [
            Paragraph("Everything (finished runs are left alone; --again runs them again):"),
            Commands((suite_command(material.suite_runs.suite),)),
        ]
    blocks.append(Paragraph("Row by row; a run gives the same results on the same kind of device:"))
    blocks.append(Commands((*_commands(material, catalogue), *_evaluations(material))))
    return Section("How to reproduce these results", tuple(blocks))


def _commands(material: Material, catalogue: Catalogue | None) -> list[str]:
    seeds: dict[tuple[Any, ...], list[Row]] = {}
    for row in material.done:
        key = tuple(row[name] for name in ("model", "dataset", "length", "profile", "settings"))
        seeds.setdefault(key, []).append(row)
    return [
        relaunch_command(
            material.specs[str(rows[0]["run"])],
            catalogue,
            seeds=list(dict.fromkeys(int(row["seed"] or 0) for row in rows)),
        )
        for rows in seeds.values()
    ]


def _evaluations(material: Material) -> list[str]:
    """Return the commands that evaluate runs under other rules again."""
    rankings = (each for found in material.protocols for each in found.rankings if each.evaluated)
    return [
        shlex.join(["seqbench", "evaluate", "--filter", f"dataset:{each.dataset}", *each.options])
        for each in rankings
    ]


def _fact(material: Material, row: Row, key: str) -> Any:
    if key in row:
        return row[key]
    return material.starts.get(str(row["run"]), {}).get(key)


def _text(value: Any) -> str:
    if value is None:
        return ABSENT
    return f"{value:,}" if isinstance(value, int) else str(value)
