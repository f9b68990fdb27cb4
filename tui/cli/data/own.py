"""``seqbench data show``, ``import`` and ``derive``: what a data set is like, and making one.

They import numpy and pandas when they are called: `seqbench data ls` needs neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from engine.errors import UsageError, shown
from engine.evaluated import cold_sentence
from engine.spec import Dataset, Filter, Packing, SplitRule, Targets
from engine.spec.data import is_text_encoding
from engine.validation import InvalidError, validate
from tui.cli import completion
from tui.cli.progress import progress
from tui.cli.session import Session, json_option, note, pass_session, say, say_json, say_table

if TYPE_CHECKING:
    from engine.datasets.layout import Layout
    from engine.datasets.own import Draft
    from engine.datasets.prepared import Prepared

FORMATS = (
    "csv", "tsv", "parquet", "inter", "jsonl", "pairs", "lines",
    "movielens-tab", "movielens-colons", "movielens-csv", "steam-reviews",
)  # fmt: skip
PACKINGS = ("none", "gzip", "zstd", "bzip2", "xz", "zip")

Command = Callable[..., Any]


def rule_options(command: Command) -> Command:
    """Give a command the options for a filter and a split."""
    for option in reversed(
        (
            click.option("--min-rating", type=float, metavar="R", help="Drop lower ratings."),
            click.option(
                "--repeats",
                type=click.Choice(("keep", "first", "last", "consecutive", "same-time")),
                help="Which of a user's interactions with the same item to keep.",
            ),
            click.option(
                "--k-core",
                type=click.IntRange(min=0),
                metavar="K",
                help="Drop users and items with fewer interactions, repeatedly until none is left.",
            ),
            click.option(
                "--rounds",
                type=click.IntRange(min=1),
                metavar="N",
                help="Stop after N rounds; published 5-core data took one.",
            ),
            click.option(
                "--split",
                type=click.Choice(("leave-one-out", "temporal")),
                help="What is held out.",
            ),
            click.option(
                "--targets",
                type=click.Choice(get_args(Targets)),
                help="Temporal: which of a user's interactions are ranked.  [default: successive]",
            ),
            click.option(
                "--quantile",
                type=float,
                metavar="Q",
                help="Temporal: test is what comes after this quantile of the times, such as 0.9.",
            ),
            click.option(
                "--valid-from",
                metavar="TIME",
                help="Temporal: validation starts at this date or number.",
            ),
            click.option(
                "--test-from", metavar="TIME", help="Temporal: test starts at this date or number."
            ),
        )
    ):
        command = option(command)
    return command


def _rules(
    filtering: Filter,
    begun: SplitRule,
    min_rating: float | None,
    repeats: str | None,
    k_core: int | None,
    rounds: int | None,
    split: str | None,
    targets: str | None,
    quantile: float | None,
    valid_from: str | None,
    test_from: str | None,
) -> tuple[Filter, SplitRule]:
    """Lay the options over a filter and a split. Raises `UsageError`."""
    asked = {
        "min_rating": min_rating,
        "repeats": repeats,
        "k_core": k_core,
        "k_core_rounds": rounds,
    }
    filtered = filtering.model_dump()
    filtered |= {key: value for key, value in asked.items() if value is not None}
    if k_core is not None:
        filtered["k_core_rounds"] = rounds
    moments = {"valid_from": valid_from, "test_from": test_from}
    if begun.kind == "given" and (split or quantile or any(moments.values())):
        raise UsageError("its files give the split: leave out --split and its moments.")
    if split is not None and split != begun.kind:
        begun = SplitRule.model_validate({"kind": split})
    divided = begun.model_dump()
    if any(moments.values()):
        divided["quantile"] = None
    elif quantile is not None:
        divided |= dict.fromkeys(moments)
    asked_split = {**moments, "quantile": quantile, "targets": targets}
    divided |= {key: value for key, value in asked_split.items() if value is not None}
    if begun.kind != "temporal" and (quantile is not None or any(moments.values())):
        raise UsageError("--valid-from, --test-from and --quantile belong to --split temporal.")
    if begun.kind == "leave-one-out" and targets is not None:
        raise UsageError("--targets belongs to --split temporal and to given splits.")
    try:
        return validate(Filter, filtered), validate(SplitRule, divided)
    except InvalidError as error:
        raise UsageError(f"{'.'.join(map(str, error.key_path))} {error.problem}".strip()) from None


@click.command()
@click.argument("name", metavar="DATASET", shell_complete=completion.datasets)
@rule_options
@json_option
@pass_session
def show(session: Session, name: str, as_json: bool, **options: Any) -> None:
    """Describe a data set: counts, lengths, what filter and split do, problems.
    With options, show what another filter or split would do; `data derive` saves that.
    """
    from engine.datasets.confirm import confirm
    from engine.datasets.load import open_data, prepare, source_files

    base = session.catalogue.dataset(name)
    rule, split = _rules(base.filter, base.split, **options)
    dataset = base.model_copy(update={"filter": rule, "split": split})
    if rule != base.filter and base.synthetic is not None:
        raise UsageError(f"{base.name} is generated: there is nothing to filter.")
    with progress(f"Reading {base.name}"):
        prepared = (
            open_data(dataset) if rule == base.filter else prepare(dataset, *source_files(dataset))
        )
    found = confirm(base)
    if found is not None and found.confirmed is not True:
        note(f"{base.name}: {found.sentence}")
    report(dataset, prepared, as_json)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--train", type=click.Path(path_type=Path), metavar="A", help="Already split: train on A."
)
@click.option("--valid", type=click.Path(path_type=Path), metavar="B", help="Its validation.")
@click.option("--test", type=click.Path(path_type=Path), metavar="C", help="Its test.")
@click.option("--name", required=True, metavar="N", help="What to call the data set.")
@click.option("--title", default="", metavar="TEXT", help="Its title.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="[default: by the file's name]")
@click.option("--user", metavar="COL", help="In a table, the column of users.")
@click.option("--item", metavar="COL", help="The column of items.")
@click.option("--time", metavar="COL", help="The column of times: numbers, or dates.")
@click.option("--rating", metavar="COL", help="The column of ratings, for --min-rating.")
@click.option("--no-header", is_flag=True, help="There is no header: COL is 1, 2, ...")
@click.option("--separator", metavar="TEXT", help="Separates a table's columns; or tab.")
@click.option(
    "--encoding", metavar="E", help="The text's encoding.  [default: UTF-8, or by its mark]"
)
@click.option("--packing", type=click.Choice(PACKINGS), help="[default: by the file's first bytes]")
@rule_options
@click.option("--in-place", is_flag=True, help="Read the file where it is; don't copy it.")
@click.option("--replace", is_flag=True, help="Replace a data set of that name.")
@click.option("--dry-run", is_flag=True, help="Only show what it would be.")
@json_option
@pass_session
def import_(
    session: Session,
    file: Path | None,
    train: Path | None,
    valid: Path | None,
    test: Path | None,
    name: str,
    title: str,
    kind: str | None,
    user: str | None,
    item: str | None,
    time: str | None,
    rating: str | None,
    no_header: bool,
    separator: str | None,
    encoding: str | None,
    packing: Packing | None,
    in_place: bool,
    replace: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a data set from a file of your own.
     CSV, TSV, Parquet and JSON lines with named columns (common names are recognized), RecBole's
    .inter, `user item` pairs in time order, `user item item ...` lines; compressed or not. Its
    content is shown first, then the file is copied to the other data and datasets/N.yaml is written
    in ./configs (or --config-dir).
     An already split data set is named by its folder, by the beginning of its files' names (`shop`
    of shop.train.inter, shop.valid.inter, shop.test.inter), or file by file.
    """
    from engine.datasets.layout import format_of, layout_of
    from engine.datasets.own import draft_of_files
    from engine.datasets.readers.textlines import Form

    files = _sources(file, (train, valid, test))
    parted = ("split", "quantile", "valid_from", "test_from")
    if len(files) > 1 and any(options[each] for each in parted):
        raise UsageError("its files give the split: leave out --split and its moments.")
    kind_of_split: Literal["given", "leave-one-out"] = (
        "given" if len(files) > 1 else "leave-one-out"
    )
    rule, split = _rules(Filter(), SplitRule(kind=kind_of_split), **options)
    if encoding is not None and not is_text_encoding(encoding):
        raise UsageError(f"there is no encoding {shown(encoding)}: give one such as latin-1.")
    form = Form(encoding, packing)
    named = {"user": user, "item": item, "time": time, "rating": rating}
    between = {"tab": "\t", "\\t": "\t", "blank": " "}.get(separator or "", separator)
    chosen = kind or format_of(files[0], form)
    with progress(f"Reading {files[0].name}"):
        layout = layout_of(files[0], chosen, named, between, not no_header, form)
        asked = split if len(files) > 1 or options["split"] else None
        draft = draft_of_files(files, name, layout, rule, asked, title)
    report(draft.dataset, draft.prepared, as_json, draft.layout)
    _keep(session, draft, "in-place" if in_place else "copied", replace, dry_run)


def _sources(file: Path | None, parts: tuple[Path | None, ...]) -> tuple[Path, ...]:
    """Return the files that are meant: one, or those of training, validation and test.

    Raises:
        UsageError: none are named, some are missing, or a folder has no such three.
    """
    from engine.datasets.triples import others_beside, triple_of

    named = tuple(part for part in parts if part is not None)
    if file is None or named:
        if file is not None or len(named) < len(parts):
            raise UsageError("name one FILE, or all three of --train, --valid and --test.")
        for path in named:
            if not path.is_file():
                raise UsageError(f"there is no file {path}.")
        return named
    if (triple := triple_of(file)) is not None:
        return triple.paths
    if others := others_beside(file):
        names = " and ".join(path.name for path in others)
        note(
            f"Only {file.name} is taken, though {names} next to it seem to belong to it: "
            "name the folder, or --train, --valid and --test, to take the split that they make."
        )
    return (file,)


@click.command()
@click.argument("base", metavar="DATASET", shell_complete=completion.datasets)
@click.option("--name", required=True, metavar="N", help="What to call the new one.")
@click.option("--title", default="", metavar="TEXT", help="Its title.")
@rule_options
@click.option("--replace", is_flag=True, help="Replace a data set of that name.")
@click.option("--dry-run", is_flag=True, help="Only show what it would be.")
@json_option
@pass_session
def derive(
    session: Session,
    base: str,
    name: str,
    title: str,
    replace: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a data set from another one, with its own filter or split."""
    from engine.datasets.own import draft_of_set

    source = session.catalogue.dataset(base)
    rules = _rules(source.filter, source.split, **options)
    with progress(f"Reading {source.name}"):
        draft = draft_of_set(source, name, *rules, title)
    report(draft.dataset, draft.prepared, as_json)
    _keep(session, draft, "stays", replace, dry_run)


def _keep(
    session: Session,
    draft: Draft,
    file: Literal["copied", "in-place", "stays"],
    replace: bool,
    dry_run: bool,
) -> None:
    from engine.datasets.own import save_draft

    if dry_run:
        note("Nothing was saved.")
        return
    catalogue = session.catalogue
    with progress(f"Writing {draft.dataset.name}"):
        path = save_draft(catalogue, draft, session.config_dir, file=file, replace=replace)
    note(f"{draft.dataset.name} is ready: {path}")


def report(
    dataset: Dataset, prepared: Prepared, as_json: bool, layout: Layout | None = None
) -> None:
    """Print what a data set is like, for people or programs, and of a new one how it was read."""
    from engine.datasets.problems import find_problems, sentences
    from engine.datasets.splitting.splits import data_checksum, split_data
    from engine.datasets.splitting.statistics import split_counts, statistics
    from engine.datasets.times import UNITS, unit_sentence

    own = prepared.interactions
    with progress("Counting"):
        figures = statistics(own)
        counts = split_counts(split_data(own, dataset))
        found = find_problems(own)
    if as_json:
        split: dict[str, Any] = {
            "kind": dataset.split.kind,
            "targets": dataset.split.targets,
            **asdict(counts),
        }
        say_json(
            {
                "name": dataset.name,
                "title": dataset.title,
                "checksum": data_checksum(own, dataset),
                "statistics": asdict(figures),
                "time_unit": None if prepared.unit is None else UNITS[prepared.unit],
                "steps": [asdict(step) for step in prepared.steps],
                "split": split,
                "problems": asdict(found),
                **({} if layout is None else _reading(layout)),
            }
        )
        return
    say(f"{dataset.name}: {dataset.title}")
    if layout is not None and layout.picked is not None:
        used = "; ".join(f"{part} {name}" for part, name in layout.picked.used.items())
        left = "; ".join(layout.picked.left_out)
        say(f"  {'columns':<14}{used}" + (f"; left out: {left}" if left else ""))
    rows = [
        [step.name, f"{step.users:,}", f"{step.items:,}", f"{step.interactions:,}"]
        for step in prepared.steps
    ]
    say_table(["STEP", "USERS", "ITEMS", "INTERACTIONS"], rows, right="USERS ITEMS INTERACTIONS")
    say(f"  {'density':<14}{100 * figures.density:.3f} %")
    longer = ", ".join(f"{100 * share:.1f} % over {length}" for length, share in figures.longer)
    say(f"  {'lengths':<14}median {figures.median_length:g}, longest {figures.longest:,}; {longer}")
    say(f"  {'popularity':<14}the top 1 % of items has {100 * figures.top_share:.1f} %")
    if figures.span:
        say(f"  {'times':<14}{figures.span}")
    if prepared.unit is not None and own.times is not None:
        say(f"  {'':<14}{unit_sentence(prepared.unit, int(own.times.max()))}")
    say(
        f"  {dataset.split.kind:<14}{counts.train:,} interactions to train on, "
        f"{counts.evaluated}, {counts.trained_only:,} only in training"
        + (f", {counts.unused:,} interactions unused" if counts.unused else "")
    )
    if counts.valid_from:
        say(f"  {'':<14}validation from {counts.valid_from}, test from {counts.test_from}")
    for remark in filter(None, (dataset.split.ranked, *counts.remarks)):
        say(f"  {'':<14}{remark}")
    notes = layout.notes if layout else ()
    minded = (cold_sentence(*counts.ceilings), *sentences(found, own, dataset.split, counts))
    for sentence in filter(None, (*notes, dataset.doubt, *minded)):
        say(f"  ! {sentence}")


def _reading(layout: Layout) -> dict[str, Any]:
    """Say for programs which columns were read, and what may have been meant otherwise."""
    picked = layout.picked
    read = {"columns": picked.used, "left_out": picked.left_out} if picked else {}
    return {**read, "notes": layout.notes}
