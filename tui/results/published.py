"""Published results next to a run's, as lines of text, each with a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from textual.content import Content

from engine.analysis.columns.definitions import Value
from engine.analysis.columns.text import figure, with_sign
from engine.analysis.literature.differences import Compared
from engine.analysis.literature.figures import digits_text
from engine.analysis.literature.text import lines_about
from engine.analysis.reference import Beside, ReferenceOfCell
from engine.spread import spread
from tui.shell.states import MARKED
from tui.shell.text import ABSENT, PARAGRAPH, TITLE, plain, shorten

_FIRST = (
    "NDCG@10/test",
    "Recall@10/test",
    "HitRate@10/test",
    "MRR@10/test",
    "EpochTime",
    "Total Epoch Trained",
    "Loss/train",
    "GradientNorm",
    "Model/TotalParams",
    "GPU/Memory(MiB)",
    "GPU/Utilization(%)",
    "LearningRate",
)
_SHORT = {
    "Total Epoch Trained": "Epochs",
    "Model/TotalParams": "Params",
    "GPU/Memory(MiB)": "GPU MiB",
    "GPU/Utilization(%)": "GPU %",
    "Loss/train": "Loss/train",
    "LearningRate": "Lr",
}
_LABEL = 25
_GAP = 2


def reference_title(reference: ReferenceOfCell, cell: str, marks: object = None) -> str:
    """Name a table of published results, the ``cell`` they are of, and how they were made.

    ``marks`` of ours that keep them from being compared come first: words with blanks between.
    """
    signs = "".join(f"{MARKED} {mark} · " for mark in str(marks or "").split())
    ranking = "seen items masked" if reference.masked else "all items"
    epoch = (
        "chosen epoch" if reference.aggregate == "best" else f"{reference.aggregate} over epochs"
    )
    about = (ranking, cell) if reference.on_test else (cell, epoch, ranking)
    return plain(f"{signs}{' · '.join((reference.title, *about))}", 4 * TITLE)


def reference_content(
    reference: ReferenceOfCell, ours: Mapping[str, Value], width: int, marks: object = None
) -> Content:
    """Set published results beside ours in ``width`` terminal cells.

    Six lines: heading, published, ours measured alike, ours at test, and a difference below each;
    four if ours measured alike is ours at test.
    ``ours`` are by the store's column names, with ``marks`` as in `reference_title`.
    """
    by_name = {entry.column: entry for entry in reference.beside(ours, marks)}
    shown = _fitting([by_name[name] for name in _FIRST if name in by_name], width)
    alike = "validation" + ("" if reference.aggregate == "best" else f" {reference.aggregate}")
    heading = _line("", [_heading(entry) for entry in shown], "$text-muted", shown)
    label = "published" if reference.on_test else "published (labelled test)"
    published = _line(label, [_published(entry) for entry in shown], "$accent", shown)
    if reference.on_test:
        test = [_ours(entry.test, entry) for entry in shown]
        apart = _differences([entry.test_difference for entry in shown], shown)
        own = _line("ours, test, chosen epoch", test, "", shown)
        return Content("\n").join([heading, published, own, apart])
    lines = [
        heading,
        published,
        _line(f"ours, {alike}", [_ours(entry.alike, entry) for entry in shown], "", shown),
        _differences([entry.difference for entry in shown], shown),
        _line("ours, test, chosen epoch", [_ours(entry.test, entry) for entry in shown], "", shown),
        _differences([entry.test_difference for entry in shown], shown),
    ]
    return Content("\n").join(lines)


def elsewhere_content(
    found: Sequence[Compared], ours: Mapping[str, Value], width: int, most: int
) -> Content:
    """Say in what other published results differ, in at most ``most`` lines of ``width``.

    ``ours`` are by the store's column names. A figure that has no room for all its lines is left
    out, and counted.
    """
    lines: list[str] = []
    left = len(found)
    for each in found:
        own = spread([ours.get(each.figure.source)]) if each.figure.source else None
        more = [plain(line, PARAGRAPH) for line in lines_about([(each, own)], max(width, 20))]
        if len(lines) + len(more) + (left > 1) > most:
            break
        lines += more
        left -= 1
    if left:
        lines.append(f"{left} more: seqbench compare --published")
    return Content.styled("\n".join(lines), "$text-muted")


def _heading(entry: Beside) -> str:
    return _SHORT.get(entry.column, entry.column.removesuffix("/test"))


def _published(entry: Beside) -> str:
    return digits_text(entry.published)


def _ours(value: float | None, entry: Beside) -> str:
    return ABSENT if value is None else figure(value, entry.kind)


def _difference(value: float | None, entry: Beside) -> str:
    if value is None:
        return ""
    digits = {"whole": 0, "metric": 3, "rate": 4}.get(entry.kind, 2)
    return with_sign(f"{abs(value):,.{digits}f}", value)


def _differences(values: Sequence[float | None], shown: Sequence[Beside]) -> Content:
    texts = [_difference(value, entry) for value, entry in zip(values, shown, strict=True)]
    return _line("  difference", texts, "$text-muted", shown)


def _fitting(entries: Sequence[Beside], width: int) -> list[Beside]:
    kept: list[Beside] = []
    used = _LABEL
    for entry in entries:
        used += _width(entry) + _GAP
        if used > width:
            break
        kept.append(entry)
    return kept


def _width(entry: Beside) -> int:
    texts = [_heading(entry), _published(entry), _ours(entry.alike, entry)]
    texts += [_ours(entry.test, entry), _difference(entry.difference, entry)]
    return max(cell_len(text) for text in texts)


def _line(label: str, texts: Sequence[str], style: str, shown: Sequence[Beside]) -> Content:
    parts: list[tuple[str, str]] = [(f"{shorten(label, _LABEL):<{_LABEL}}", "$text-muted")]
    for text, entry in zip(texts, shown, strict=True):
        parts.append((" " * _GAP + text.rjust(_width(entry)), style))
    return Content.assemble(*parts)
