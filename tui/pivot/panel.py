"""What is known of the pivot's cell under the cursor, as lines of text. No widget here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from engine.analysis.columns.text import spread_text
from engine.analysis.inflation.measured import Inflated
from engine.analysis.inflation.text import inflation_text, share_text
from engine.analysis.pivot.arranged import PivotRow
from engine.cell import Cell
from tui.pivot.reading import UserIntervals
from tui.shell.text import TITLE, count, plain

_METRICS = {
    "NDCG@10/test": "ndcg",
    "Recall@10/test": "recall",
    "MRR@10/test": "mrr",
    "HitRate@10/test": "hit",
}
"""By the reference table's name, the most telling first: narrow terminals show fewer."""

_LABEL = 24
_WIDTH = 18
MUTED = "$text-muted"
TOTALS = "A subtotal is the maximum of the cells beneath it, as in the reference table."


def panel_title(row: PivotRow | None) -> str:
    """Name a cell, and say why it stands apart where it does."""
    if row is None or not row.cell:
        return ""
    cell = Cell.named(row.cell)
    name = plain(f"{row.model} × {row.dataset} × {row.length}", 2 * TITLE)
    named = row.named or cell.profile
    if cell.profile not in named.split():
        named = f"{cell.profile} {named}"
    marks = f"! {' '.join(row.marks)} · " if row.marks else ""
    title = f"{marks}{name} · {count(row.seeds or 0, 'seed')} · {plain(named, TITLE)}"
    if row.apart:
        title += f" · kept apart from its neighbors: different {' and '.join(row.apart)}"
    return title


def panel_content(
    metrics: Mapping[str, Inflated], intervals: UserIntervals | str | None, width: int
) -> Content:
    """Set a cell's test metrics at the chosen epoch, with their intervals, beside the maximum over
    epochs: six lines of ``width`` terminal cells, and a warning where few users are tested.

    Args:
        intervals: a sentence where there are none, None while they are read.
    """
    room = max(1, (width - _LABEL) // _WIDTH)
    shown = [(name, metrics[name]) for name in _METRICS if name in metrics][:room]
    if not shown:
        return Content.styled("Its runs have no test metrics.", MUTED)
    lines = [
        _line("", [name for name, _ in shown], MUTED),
        _line(
            "at the chosen epoch",
            [spread_text(metric.chosen, "metric") for _, metric in shown],
            "bold",
        ),
        _interval_line([_METRICS[name] for name, _ in shown], intervals),
        _line(
            "maximum over epochs", [spread_text(metric.maximum, "metric") for _, metric in shown]
        ),
        _line("  inflates by", [inflation_text(metric) for _, metric in shown], "$warning"),
        _line("  in percent", [share_text(metric) for _, metric in shown], "$warning"),
    ]
    if isinstance(intervals, UserIntervals) and intervals.warning:
        lines.append(Content.styled(intervals.warning, "$warning"))
    return Content("\n").join(lines)


def _interval_line(names: Sequence[str], intervals: UserIntervals | str | None) -> Content:
    label = "  95 % over users"
    if isinstance(intervals, str):
        text = plain(intervals, 4 * TITLE)
        return Content.assemble((f"{label:<{_LABEL}}", MUTED), (text, MUTED))
    if intervals is None:
        return _line(label, ["…"] * len(names), MUTED)
    ends = [intervals.ends[name] for name in names]
    return _line(label, [f"{low:.4f} – {high:.4f}" for low, high in ends])


def _line(label: str, texts: Sequence[str], style: str = "") -> Content:
    cells = "".join(f"{text:>{_WIDTH}}" for text in texts)
    return Content.assemble((f"{label:<{_LABEL}}", MUTED), (cells, style))
