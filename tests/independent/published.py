"""The tables of published results: as they were typed, and ours measured likewise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml
from scipy import stats

from .facts import Facts, UnsureError, metric_of
from .figures import LEVEL
from .page import Part
from .texts import differs, number, spread_differs, unit

Row = dict[str, str]
REFERENCES = Path(__file__).parents[2] / "configs" / "published"
Protocol = dict[str, str]


def _references() -> dict[str, dict[tuple[str, str, str, str], tuple[str, Protocol]]]:
    """The published results as they were typed, with their protocol, by source: by model, data set,
    L and metric."""
    found: dict[str, dict[tuple[str, str, str, str], tuple[str, Protocol]]] = {}
    for path in REFERENCES.glob("*.yaml"):
        content = yaml.BaseLoader(path.read_text()).get_single_data()  # text, as typed
        for cell in content["cells"]:
            protocol = content.get("protocol", {}) | cell.get("protocol", {})
            length = cell.get("length", protocol.get("length", "unknown"))
            title = ": ".join(filter(None, (content["title"], cell.get("label"))))
            for name, figure in cell["figures"].items():
                place = cell["model"], cell["dataset"], length, name.partition("/")[0]
                typed = {**protocol, "length": length}
                known = found.setdefault(title, {})
                # One source may have several figures of a place: none is then sure.
                known[place] = ("", typed) if place in known else (figure, typed)
    return found


PUBLISHED = _references()


def published(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    """A published result, and each run's measured likewise: of the reference table validation's
    maximum over epochs, of others test at the epoch chosen on validation."""
    name, _, title = part.caption.partition(": ")
    found = [c for c in facts.cells if c.label == row["cell"].removesuffix(" !")]
    found = [c for c in found if c.runs[0].place[1] == row["data set"]]
    cell = facts.only(found, row["cell"])
    shown = row["published"]
    model, dataset, length, _ = cell.runs[0].place
    known, protocol = PUBLISHED[title].get((model, dataset, str(length), name), (None, {}))
    if known != shown:
        yield f"published is {known}"
    metric = metric_of(name)[0] + ("_masked" if protocol.get("seen") == "masked" else "")
    if protocol.get("part") == "test":
        own = [run.chosen[f"test_{metric}"] for run in cell.runs]
    else:
        own = [max(line[f"valid_{metric}"] for line in run.epochs) for run in cell.runs]
    yield from spread_differs("ours", row["ours, measured the same way"], own)
    apart, _, margin = row["ours − published"].partition(" ± ")
    difference = float(np.mean(own)) - number(shown)
    yield from differs("the difference", apart, difference)
    seeds, half = len(own), None
    if seeds > 1:
        factor = stats.t.isf(LEVEL / 2, seeds - 1) * (1 + 1 / seeds) ** 0.5
        half = float(factor * np.std(own, ddof=1)) + unit(shown)
        yield from differs("its interval", margin, half)
    said = row["ours is"]
    if half is None or not cell.tellable:
        if said in ("better", "worse", "no difference shown"):
            yield f"ours is {said}, which may not be told"
    else:
        own_word = "better" if difference > 0 else "worse"
        if said != (own_word if abs(difference) > half else "no difference shown"):
            yield f"ours is {said}, but the interval is {difference:.5f} ± {half:.5f}"


def elsewhere(row: Row, facts: Facts, part: Part) -> Iterator[str]:
    """A figure of another protocol, of which L can be checked, and the nearest cell's metric."""
    named = {
        ", ".join(dict.fromkeys((title.partition(": ")[2], title.partition(": ")[0]))): title
        for title in PUBLISHED
    }
    model, _, of_model = row["source"].partition(", ")
    title = named.get(row["source"], of_model)
    if title not in PUBLISHED:
        raise UnsureError(f"no source {row['source']!r}")
    typed = [
        (figure, protocol)
        for (of, dataset, _, name), (figure, protocol) in PUBLISHED[title].items()
        if (row["source"] in named or of == model)
        and name == part.caption.partition(" ")[0]
        and dataset == row["data set"]
        and figure
    ]
    protocols = [protocol for figure, protocol in typed if figure == row["published"]]
    if typed and not protocols:
        yield f"published is {typed[0][0]}"
    (cell,) = [
        c
        for c in facts.cells
        if c.label == row["nearest cell"] and c.runs[0].place[1] == row["data set"]
    ]
    length = str(cell.runs[0].place[2])
    for protocol in protocols:
        ours = re.search(r"; yours .*?L = (\d+)", row["it is"])
        theirs = re.search(r"^[^;]*?L = (\d+)", row["it is"])
        apart = protocol["length"] not in (length, "unknown")
        if bool(ours) != apart or (ours and ours[1] != length):
            yield f"L is {length}"
        if theirs and theirs[1] != protocol["length"]:
            yield f"published L is {protocol['length']}"
        masked = "_masked" if protocol.get("seen") in ("masked", "input-masked") else ""
        if protocol.get("part") == "test":
            own = [run.chosen[f"test_ndcg{masked}"] for run in cell.runs]
        else:
            own = [max(line[f"valid_ndcg{masked}"] for line in run.epochs) for run in cell.runs]
        yield from spread_differs("ours", row["ours"], own)
        apart_by = row["ours − published"]
        if row["it is"].startswith("comparable"):
            difference = float(np.mean(own)) - number(row["published"])
            yield from differs("the difference", apart_by, difference)
        elif apart_by != "–":
            yield "it isn't comparable, but has a difference"
