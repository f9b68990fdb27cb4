"""A report, sentence by sentence and row by row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from .facts import Facts, metric_of
from .page import parts
from .runs import read_runs
from .sentences import judged
from .tables import judged_rows
from .texts import LABEL

SUITES = Path(__file__).parents[2] / "configs" / "suites"
APART = (
    r"(\S+) × (\S+) × (\d+) \(\S+\) has several rows, never averaged: .*?"
    r"their settings differ \((.*?)\)\."
)
"""How a report names cells of the same model, data set and length."""


@dataclass(frozen=True)
class Judged:
    """A sentence, or a row of a table."""

    section: str
    text: str
    state: str
    """``holds``, ``false`` or ``not checked``."""
    why: str


def check(
    report: Path, runs: Path, data: Path | None = None, suites: Path = SUITES
) -> list[Judged]:
    """Judge every sentence and row of a report on the runs of a folder, and on the data sets of
    another.

    Args:
        suites: the folder with the file of the suite that the report is on, if it is on one.
    """
    every = list(parts(report))
    head = "\n".join(part.text for part in every[:4])
    facts = Facts(read_runs(runs), folder=data)
    if found := re.search(r"Quality is (\w+)@(\d+)(/test(?: \(seen masked\))?)", head):
        facts.metric, facts.masked = metric_of(f"{found[1]}@10{found[3]}")
        facts.k = int(found[2])
    if found := re.search(r"^suite (\S+) · ", head, re.M):
        facts.suite = found[1]
        file = suites / f"{facts.suite}.yaml"
        facts.asked = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    if found := re.search(r"\bfilter (.*?) · \d+ runs?", head):
        terms = (re.split("[:=]", term, maxsplit=1) for term in found[1].split())
        facts.meant = {name: set(values.split(",")) for name, values in terms}
    for model, dataset, length, names in re.findall(APART, "\n".join(part.text for part in every)):
        facts.named.setdefault((model, dataset, int(length)), set()).update(names.split(", "))
    for part in every:
        told = " ; ".join([part.text, *(" ".join(row) for row in part.rows)])
        of = part.place.partition(", ")[0] if part.section == "Results" else ""
        facts.labels.setdefault(of, set()).update(re.findall(LABEL, told))
    judgements = []
    for part in every:
        if part.kind == "title":
            continue
        found_in = judged_rows(part, facts) if part.kind == "table" else judged(part, facts)
        judgements += [Judged(part.section, *each) for each in found_in]
    return judgements
