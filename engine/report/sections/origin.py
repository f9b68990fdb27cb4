"""Sections on the environment of the runs and on how to reproduce them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from engine.analysis.comparison import Row
from engine.analysis.relaunch import relaunch_command, suite_command
from engine.ceiling import Ceiling, ceiling_of
from engine.config import Catalogue
from engine.report.blocks import Block, Commands, Paragraph, Section, table
from engine.report.gather import Material
from engine.report.wording import ABSENT, day

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
    data: dict[tuple[str, ...], int] = {}
    for row in done:
        start = material.starts.get(str(row["run"]), {})
        facts = (str(row["dataset"]), *(_text(start.get(name)) for name in _DATA))
        key_of_data = (*facts, str(row["checksum"] or ABSENT)[:12])
        data[key_of_data] = data.get(key_of_data, 0) + 1
    ended = [r.finished for r in material.runs.values() if r.state == "done" and r.finished]
    blocks: list[Block] = [
        table(["", "", "runs"], rows, figures=(2,), caption="What the runs ran on"),
        table(
            ["data set", *_DATA, "checksum", "runs"],
            [[*key, str(number)] for key, number in data.items()],
            figures=(1, 2, 3, 5),
            caption="Data, as it was used",
        ),
    ]
    blocks += [Paragraph(sentence) for sentence in _ceilings(material)]
    if ended:
        first, last = day(min(ended)), day(max(ended))
        span = f"on {first}" if first == last else f"from {first} to {last}"
        blocks.append(Paragraph(f"The runs ended {span} (UTC).", quiet=True))
    return Section("Environment", tuple(blocks))


def _ceilings(material: Material) -> Iterator[str]:
    """Yield a sentence for each data set and split whose test items don't all occur in training."""
    found: dict[tuple[str, str], Ceiling] = {}
    for row in material.done:
        ceiling = ceiling_of(material.starts.get(str(row["run"]), {}))
        if ceiling is not None and ceiling.cold:
            found[str(row["dataset"]), str(row["split"])] = ceiling
    for (dataset, split), ceiling in found.items():
        yield (
            f"On {dataset} ({split}) every metric of a model that knows only training items is "
            f"{ceiling.words}."
        )


def reproduction(material: Material, catalogue: Catalogue | None) -> Section:
    """Make the section with the command that repeats each row's runs."""
    blocks: list[Block] = []
    if material.suite_runs is not None:
        blocks += [
            Paragraph("All of it (what is done already is left alone; --again runs it anew):"),
            Commands((suite_command(material.suite_runs.suite),)),
        ]
    blocks.append(
        Paragraph("Row by row; a run ends with the same figures on the same kind of device:")
    )
    blocks.append(Commands(tuple(_commands(material, catalogue))))
    return Section("How to get these figures again", tuple(blocks))


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


def _fact(material: Material, row: Row, key: str) -> Any:
    if key in row:
        return row[key]
    return material.starts.get(str(row["run"]), {}).get(key)


def _text(value: Any) -> str:
    if value is None:
        return ABSENT
    return f"{value:,}" if isinstance(value, int) else str(value)
