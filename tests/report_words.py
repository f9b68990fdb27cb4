"""The texts of a report, section by section."""

from __future__ import annotations

import re
from contextlib import closing
from html import unescape

from measured_runs import MeasuredStore

from engine.report.blocks import Report
from engine.report.gather import Wanted
from engine.report.markdown import markdown
from engine.report.write import make_report
from engine.store.connect import connect_reader


def made(store: MeasuredStore, wanted: Wanted) -> Report:
    """A report on the store."""
    with closing(connect_reader(store.location)) as con:
        return make_report(con, store.location, store.catalogue, wanted)


def words(report: Report, title: str) -> str:
    """A section's text."""
    (section,) = (section for section in report.sections if section.title == title)
    text = markdown(Report("", (), (section,)), None).replace("<br>", " ; ")
    return unescape(re.sub(r"<[^>]+>|\\", "", text))


def lines_of(report: Report, title: str, start: str = "") -> list[str]:
    """A section's lines that begin so."""
    return [line for line in words(report, title).splitlines() if line and line.startswith(start)]
