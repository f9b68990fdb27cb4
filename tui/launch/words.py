"""Sentences of the Launch screen: what is selected, what is under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from engine.errors import UsageError
from tui.launch.costs.estimates import parameters_text, product_text, source_text, time_text
from tui.launch.grid.cells import CellKey
from tui.shell.states import MARKED, NEVER, STATES, glyph, style_variable
from tui.shell.text import PARAGRAPH, TITLE, count, plain

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.machine.slots import Slot
    from engine.order import Order
    from engine.planning import Plan
    from engine.spec import RunSpec, Sweep
    from engine.store.places import LaunchCell

PUBLISHED = "NDCG@10/test"
LABEL_CELLS = 12
OF_TRAINING = (
    "epochs", "patience", "batch_size", "lr", "weight_decay", "label_smoothing", "ema",
    "objective", "loss", "dtype",
)  # fmt: skip
DOT = (" · ", "$text-disabled")

BY_HAND = "put its files under SEQBENCH_DATA."
"""What to do about a data set that can't be fetched."""


def summary_text(
    plan: Plan | None, by_hand: bool, problem: str, slots: Sequence[Slot] = ()
) -> Content:
    """Write two lines: how many runs; with which overrides, and what they cost in some slots.

    Args:
        plan: ``None`` while it is being made.
        by_hand: whether cells are selected; else the one under the cursor is meant.
        problem: why there can't be a plan.
    """
    if problem:
        return Content.styled(plain(problem, PARAGRAPH), "$error")
    if plan is None:
        return Content("")
    from engine.order import settings_text

    runs, missing = plan.runs, plan.missing
    here = len(runs) - len(missing)
    first: list[tuple[str, str] | str] = [
        f"{product_text(plan)} " if by_hand or plan.swept else "",
        (count(len(runs), "run"), "bold"),
        DOT,
        (f"{len(missing):,} to launch", "$accent" if missing else "$text-muted"),
    ]
    if here:
        first += [DOT, (f"{here:,} queued, running or done", "$text-muted")]
    chosen = missing or runs
    second: list[tuple[str, str]] = []
    if plan.absent:
        names = ", ".join(plain(dataset.name) for dataset in plan.absent)
        second += [(f"{names} not fetched", "$accent"), DOT]
    # The form that has the overrides is hidden where the terminal is narrow.
    for key, value in settings_text(plan.order.overrides).items():
        second += [(f"{plain(key, TITLE)}={plain(value, TITLE)}", ""), DOT]
    second += [
        (f"{parameters_text([run.parameters for run in chosen])} parameters", "$text-muted"),
        DOT,
        (f"training time {time_text(chosen, slots)}", "$text-muted"),
    ]
    if source := source_text(chosen):
        second.append((f" ({source})", "$text-disabled"))
    return Content.assemble(*first, "\n", *second)


def cell_facts(
    catalogue: Catalogue,
    key: CellKey,
    order: Order,
    cell: LaunchCell | None,
    other_copy: str,
    count_parameters: Callable[[], None],
) -> list[Content]:
    """Write what is known about one cell, in lines, the most important first.

    Args:
        other_copy: what is to be said of the data set's copy, if it isn't what the entry says.
        count_parameters: called if the model's parameters with these settings aren't known.
    """
    # Loaded with the configuration, after the first paint.
    from engine.modelinfo import NotKnownError
    from engine.planning import samples

    model, dataset, length = catalogue.models[key[0]], catalogue.datasets[key[1]], key[2]
    facts: list[tuple[str, Content]] = [("Runs", _runs(cell))]
    facts += [("Published", text) for text in _published(catalogue, key)]
    try:
        found = samples(catalogue, order, key, wait=False)
    except NotKnownError:
        facts.append(("Parameters", Content.styled("being counted", "$text-disabled")))
        count_parameters()
    except UsageError as error:
        facts.append(("Recipe", Content.styled(plain(str(error), PARAGRAPH), "$error")))
    else:
        facts += [
            ("Recipe", Content(_recipe([spec for spec, _ in found]))),
            ("Parameters", Content(parameters_text([number for _, number in found]))),
        ]
    size = dataset.holds
    if other_copy:
        size = f"{MARKED} {plain(other_copy, PARAGRAPH)}"
    facts.append(("Data", Content.styled(size, "$warning" if other_copy else "")))
    if cell is not None and cell.evaluated is not None and cell.evaluated.words:
        facts.append(("Evaluated", Content(cell.evaluated.words)))
    if cell is not None and cell.ceiling is not None and cell.ceiling.cold:
        facts.append(("NDCG@10", Content(cell.ceiling.words)))
    if model.paper:
        facts.append(("Paper", Content.styled(plain(model.paper, PARAGRAPH), "$text-muted")))
    heading = f"{plain(model.title, TITLE)} × {plain(dataset.title, TITLE)} × {length}"
    return [Content.styled(heading, "bold"), *aligned(facts)]


def profile_text(profile: str, overrides: Mapping[str, Sweep]) -> str:
    """Write a profile and the settings that are overridden: ``reference, epochs=24``."""
    from engine.order import settings_text  # after the first paint

    settings = settings_text(overrides).items()
    changed = (f"{plain(key, TITLE)}={plain(value, TITLE)}" for key, value in settings)
    return ", ".join([plain(profile, TITLE), *changed])


def _recipe(specs: Sequence[RunSpec]) -> str:
    """Name the recipe, and the values of training, all of those that are run."""

    def each(values: Iterable[str]) -> str:
        return ", ".join(dict.fromkeys(values))

    fitted, training = specs[0].fitted, [spec.training for spec in specs]
    epochs = each(f"{one.epochs:,}" for one in training)
    noun = ("combination" if fitted else "epoch") + ("" if epochs == "1" else "s")
    name = plain(specs[0].recipe, TITLE)
    if fitted:
        return f"{name}: fitted with {epochs} {noun} of settings"
    sizes = each(f"{one.batch_size:,}" for one in training)
    rates = each(f"{one.lr:g}" for one in training)
    return f"{name}: up to {epochs} {noun}, batch size {sizes}, learning rate {rates}"


def aligned(facts: Iterable[tuple[str, Content | str]], width: int = 0) -> Iterable[Content]:
    """Write a line for each fact, of a quiet label and what it names; with ``width``, what is
    longer goes on below its beginning."""
    for label, text in facts:
        lines = [Content(text) if isinstance(text, str) else text]
        if width > LABEL_CELLS:
            lines = lines[0].wrap(width - LABEL_CELLS)
        for line in lines:
            yield Content.assemble((f"{label:<{LABEL_CELLS}}", "$text-muted"), line)
            label = ""


def legend(cells: Collection[LaunchCell], signs: Collection[str], room: int) -> Content:
    """Explain the glyphs of the grid, for its border: also rare ones, if there are any; where the
    signs leave no room for all, only those that are there.

    Args:
        signs: those of the cells against their floors.
        room: cells of the terminal.
    """
    there = {NEVER} | {state for cell in cells for state, runs in cell.counts.items() if runs}
    rare = [s for s in ("cancelled", "lost") if s in there]
    shown = (NEVER, "queued", "running", "done", "failed", *rare)
    found = _legend(shown, signs)
    if signs and found.cell_length > room:
        return _legend(filter(there.__contains__, shown), signs)
    return found


def _legend(states: Iterable[str], signs: Collection[str]) -> Content:
    names = {NEVER: "not run"}
    parts = [Content.styled(f"{glyph(s)} {names.get(s, s)}", style_variable(s)) for s in states]
    if signs:
        from engine.analysis.floor import AT, BELOW  # loaded by the thread that read them

        parts += [Content.styled(words, "$warning") for words in (AT, BELOW)]
    return Content("  ").join(parts)


def cells_title(files: Sequence[str] = ()) -> Content:
    """Name the grid's frame, and the files of models that are being read."""
    if not files:
        return Content("Cells")
    one = plain(str(Path(*Path(files[0]).parts[-2:])), TITLE)
    named = one if len(files) == 1 else f"{len(files):,} files of models"
    return Content.assemble("Cells", DOT, (f"reading {named} …", "$accent"))


def settings_hint(catalogue: Catalogue, models: Collection[str], profile: str) -> str:
    """Say how overrides are written, and name the settings that all of the models have, and those
    of training that are most asked for."""
    infos = [catalogue.info(model, profile) for model in models]
    schemas = [info.schema.get("properties", {}) for info in infos]
    own = [key for key in schemas[0] if all(key in each for each in schemas)] if schemas else []
    trained = any(info.kind != "fitted" for info in infos)
    keys = ", ".join([*own, *(OF_TRAINING if trained else ())])
    if not trained:
        return f"One per line; KEY=VALUE,VALUE runs each value. {keys}" if keys else ""
    return f"One per line; lr=0.001,0.0005 runs each value. {keys} … (all: docs/training.md)"


def rectangle_hint(rows: int, columns: int, enter: str) -> Content:
    """Say what the keys do while a rectangle is held, for the grid's border.

    Args:
        enter: how the enter key is written.
    """
    return Content.assemble(
        (f"{rows} × {columns}", "$accent bold"),
        ("  arrows extend  ", "$text-muted"),
        (enter, "$accent"),
        (" keep  ", "$text-muted"),
        ("esc", "$accent"),
        (" drop", "$text-muted"),
    )


def suite_keys() -> Content:
    """Name the keys that save and load suites, for the form's border."""
    return Content.assemble(("s", "$accent"), " save suite  ", ("S", "$accent"), " load")


def _published(catalogue: Catalogue, key: CellKey) -> Iterable[Content]:
    from engine.analysis.literature.figures import digits_text  # after the first paint
    from engine.analysis.reference import references_of

    for found in references_of(catalogue.published.values(), *key):
        for name, figure in found.figures:
            if name == PUBLISHED:
                told = f"  {plain(found.title, TITLE)}, {found.aggregate} over epochs"
                yield Content.assemble(
                    (f"NDCG@10 {digits_text(figure)}", "bold"), (told, "$text-muted")
                )


def _runs(cell: LaunchCell | None) -> Content:
    from engine.analysis.columns.text import spread_text  # after the first paint

    if cell is None or not any(cell.counts.values()):
        return Content.styled(f"{glyph(NEVER)} not run", style_variable(NEVER))
    parts: list[tuple[str, str] | str] = []
    for state in STATES:
        if n := cell.counts.get(state):
            parts += [(f"{glyph(state)} {n:,} {state}", style_variable(state)), "  "]
    if cell.score is not None:
        parts += [(f"test NDCG@10 {spread_text(cell.score, 'metric')}", "bold")]
        of = [f"mean of {cell.score.count:,} seeds"] if cell.score.count > 1 else []
        of += [f"best of {cell.settings:,} settings"] if cell.settings > 1 else []
        parts += [(f"  {', '.join(of)}", "$text-muted")]
    return Content.assemble(*parts)


def problem_text(sentence: str) -> Content:
    """Say why nothing can be launched."""
    return Content.assemble(
        (plain(sentence, PARAGRAPH), "$error"),
        "\n\nFix it and restart seqbench. ",
        ("Live (2) and Compare (3) still work.", "$text-muted"),
    )
