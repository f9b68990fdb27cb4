"""Nothing that is shown of results claims more than they allow: stores break one condition of a
comparison after the other, and every word of what is shown is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path

import pytest
from claim_stores import CASES, Case, Kind
from click.testing import CliRunner
from held import worked_on
from measured_runs import MeasuredStore

from engine.analysis.pairs.significance import LEVEL
from engine.store.compare.grouping import Choice, cell_table
from engine.store.connect import connect_reader
from tui.cli.main import seqbench
from tui.results.diff_text import RunOrCell
from tui.results.reading import read_diff, read_words

HARMLESS = re.compile(
    r"\bno(?: \w+)?(?: \w+)? (?:is|are|was|were) shown(?: to be \w+)?|\bnone is shown\b|"
    r"\bno difference shown\b|\bnot shown\b|\bcan(?:'t|not) be told\b|\bbest on validation\b",
    re.I,
)
"""What denies a claim; it is taken out before claims are looked for."""
CLAIMS: dict[Kind, re.Pattern[str]] = {
    "quality": re.compile(
        r"\b(?:has|have) the (?:highest|best)\b|\bthe best model\b|\bshown to be\b|"
        r"\bsignificant\w*|\b(?:better|worse|above|below|superior|outperforms?|beats?|wins?)\b",
        re.I,
    ),
    "cost": re.compile(r"\b(?:faster|slower|cheaper)\b|[\d.]+ \[[\d.]+, [\d.]+\] times\b", re.I),
}
P = re.compile(r"\bp ([=<]) ?(0?\.\d+|1\.0+)")
VERDICTS: dict[str, Kind] = {"a is": "quality", "ours is": "published"}
"""Columns with a verdict, by their head."""
MODEL = re.compile(r"\b(?:sasrec|bert4rec|xlstm|gru4rec)\b")

Table = list[list[str]]
Built = tuple[MeasuredStore, Case]
Run = Callable[..., str]


@dataclass(frozen=True)
class Told:
    """A clause, or a row of a table, that claims something of the models that it names."""

    kind: Kind
    text: str


class Page(HTMLParser):
    """A report's page as tables of texts and as single texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._open.append("cell")
        elif tag in ("p", "li", "h1", "h2", "h3", "figcaption", "caption", "pre"):
            self._open.append(tag)
            self.texts.append("")
        elif tag in ("svg", "style"):
            self._open.append("skipped")

    def handle_endtag(self, tag: str) -> None:
        ends = ("td", "th", "p", "li", "h1", "h2", "h3", "figcaption", "caption", "pre")
        if tag in (*ends, "svg", "style"):
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if "skipped" in self._open or not self._open:
            return
        if "cell" in self._open:
            self.tables[-1][-1][-1] += data + (" ; " if self._open[-1] == "li" else "")
        else:
            self.texts[-1] += data


def markdown(text: str) -> tuple[list[str], list[list[list[str]]]]:
    """A report's Markdown as single texts and as tables of texts."""
    texts: list[str] = []
    tables: list[list[list[str]]] = []
    plain = re.sub(r"\\(\W)", r"\1", text).replace("&lt;", "<").replace("&nbsp;", " ")
    rows = False
    for line in plain.splitlines():
        if line.startswith("| "):
            if not rows:
                tables.append([])
            if not re.fullmatch(r"[|: -]+", line):
                cells = (
                    cell.replace("**", "").replace("<br>", " ; ").strip()
                    for cell in line[1:-1].split("|")
                )
                tables[-1].append(list(cells))
        else:
            texts.append(line.removeprefix("- ").replace("**", ""))
        rows = line.startswith("| ")
    return texts, tables


def clauses(text: str) -> list[str]:
    """The parts of a text that claim for themselves: sentences, and what semicolons part."""
    parts = re.split(r"\.(?=\s|$)|;|: (?=\w+ L=)", text)
    return [part.strip() for part in parts if part.strip()]


def is_told(p: str, case: Case) -> bool:
    """Whether a p, such as ``< .001`` or ``.034``, is one that may not stand there."""
    return case.untested or p.startswith("<") or float(p.strip("= ")) < LEVEL


def in_words(text: str, case: Case, subject: str = "") -> Iterator[Told]:
    """What the clauses of a text claim; ``subject`` is what it is about."""
    for clause in clauses(text):
        rest = HARMLESS.sub("", clause)
        if not MODEL.search(subject + rest):
            continue
        kinds = {kind for kind, words in CLAIMS.items() if words.search(rest)}
        if any(is_told("".join(found.groups()), case) for found in P.finditer(rest)):
            kinds.add("quality")
        yield from (Told(kind, f"{subject} {clause}") for kind in kinds)


def in_table(table: Table, case: Case) -> Iterator[Told]:
    """What a table claims: its p-values, its verdicts, and the words in it."""
    head, *rows = table or [[]]
    for row in rows:
        named = dict(zip(head, row, strict=True))
        told = " | ".join(row)
        if re.search(r"\d", p := named.pop("p", "")) and is_told(p, case):
            yield Told("quality", told)
        for column, kind in VERDICTS.items():
            if re.search("better|worse", named.pop(column, "")):
                yield Told(kind, told)
        for text in named.values():
            yield from in_words(text, case, row[0])


def in_report(texts: list[str], tables: list[Table], case: Case) -> list[Told]:
    found = [told for text in texts for told in in_words(text, case)]
    return found + [told for table in tables for told in in_table(table, case)]


def barred(case: Case, told: Told) -> bool:
    return told.kind in case.of and bool(set(case.barred) & set(MODEL.findall(told.text)))


@pytest.fixture(scope="module", params=CASES)
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Built]:
    """A case's store, of whose unfinished runs nobody works any."""
    folder = tmp_path_factory.mktemp("claims")
    case = CASES[request.param]
    case.build(store := MeasuredStore(folder), folder)
    with worked_on(store.location):
        yield store, case


@pytest.fixture
def cli(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the case's store, and return what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQBENCH_DB", str(built[0].location.db))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(seqbench, arguments, prog_name="seqbench")
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.mark.parametrize("page", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_report_claims_what_its_runs_allow(
    built: Built, cli: Run, tmp_path: Path, page: bool
) -> None:
    _, case = built
    texts, tables = _page(cli, tmp_path) if page else markdown(cli("report"))
    found = in_report(texts, tables, case)
    assert [told for told in found if barred(case, told)] == []
    every = "\n".join([*texts, *("; ".join(row) for table in tables for row in table)])
    assert [pattern for pattern in case.says if not re.search(pattern, every)] == []
    assert [pattern for pattern in case.never if re.search(pattern, every)] == []
    claims = "\n".join(told.text for told in found)
    assert [pattern for pattern in case.claims if not re.search(pattern, claims)] == []


def _page(cli: Run, folder: Path) -> tuple[list[str], list[Table]]:
    """The report as a page: its texts and its tables."""
    cli("report", "-o", "report.html")
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    return page.texts, page.tables


def test_so_does_the_table_of_pairs(built: Built, cli: Run) -> None:
    _, case = built
    barred_here = set(case.barred) if "quality" in case.of else set()
    rows = json.loads(cli("compare", "--pairs", "--format", "json"))
    for row in rows:
        is_barred = barred_here & set(MODEL.findall(f"{row['a']} {row['b']}"))
        assert (row["p"] is None) == (row["a is"] is None) == bool(row["why_not"])
        if is_barred and case.untested:
            assert row["p"] is None
        elif is_barred and row["p"] is not None:
            assert row["p"] >= LEVEL
            assert row["a is"] == "no difference shown"
    if case.claims:
        assert {row["a is"] for row in rows} & {"better", "worse"}
    for format_ in ("table", "md", "csv"):
        for line in cli("compare", "--pairs", "--format", format_).splitlines():
            claimed = re.search(r"\b(better|worse)\b", line)
            assert not (claimed and barred_here & set(MODEL.findall(line))), line


def test_so_does_the_pivot(built: Built, cli: Run) -> None:
    _, case = built
    for row in json.loads(cli("compare", "--pivot", "--reference", "--format", "json")):
        if row["level"] == "verdict" and row["model"] in case.barred and "published" in case.of:
            assert {"better", "worse"}.isdisjoint(row["figures"].values())
            assert bool(row["why_not"]) == case.untested


def test_so_does_diff(built: Built, cli: Run) -> None:
    """Of two cells; of two runs, which are one seed each, it claims nothing."""
    store, case = built
    with closing(connect_reader(store.location)) as con:
        cells = cell_table(con, Choice(), [])
    for a, b in combinations(cells, 2):
        if "quality" in case.of and {a.cell.model, b.cell.model} & set(case.barred):
            sides = [RunOrCell(each.cell.name, is_cell=True) for each in (a, b)]
            assert diff_claims(store, sides, case) == []
        sides = [RunOrCell(each.run, is_cell=False) for each in (a, b)]
        assert diff_claims(store, sides, CASES["one seed"]) == []
        figures = json.loads(cli("diff", a.run, b.run, "--json"))["figures"]
        assert {each["better"] for each in figures} == {None}


def diff_claims(store: MeasuredStore, sides: Sequence[RunOrCell], case: Case) -> list[Told]:
    """What the words of Diff claim of its right side's quality."""
    diff = read_diff(store.location, (sides[0], sides[1]), Choice(), "best")
    words = read_words(store.location, diff, store.catalogue)
    assert not case.untested or any("no conclusion" in text for text in words)
    told = [told for text in words for told in in_words(text, case, "xlstm")]
    return [each for each in told if each.kind == "quality"]
