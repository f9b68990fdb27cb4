"""What workers wrote and the journal, in one order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.shell.events import JournalLine
from tui.shell.log_follower import Written
from tui.shell.run_log import LogLine, RunLog, log_lines


def entry(attempt: int, seq: int, kind: str, size: int | None = None) -> JournalLine:
    return JournalLine(attempt, seq, kind, f"{kind} {attempt}.{seq}", log_bytes=size)


def texts(written: list[Written], journal: list[JournalLine]) -> list[str]:
    return [line.text for line in log_lines(written, journal)]


FIRST = (entry(1, 0, "start", 0), entry(1, 1, "epoch"), entry(1, 2, "checkpoint", 10))
SECOND = (entry(2, 0, "start", 30), entry(2, 1, "warning"))
WRITTEN = [Written(5, "a"), Written(10, "b"), Written(20, "c"), Written(30, "d"), Written(40, "e")]


def test_each_line_stands_where_the_journal_next_says_how_long_the_log_was() -> None:
    journal = [*FIRST, entry(1, 3, "end", 20), *SECOND, entry(2, 2, "end", 40)]
    assert texts(WRITTEN, journal) == [
        "start 1.0", "epoch 1.1", "a", "b", "c", "end 1.3",
        "d", "start 2.0", "warning 2.1", "e", "end 2.2",
    ]  # fmt: skip


def test_an_end_that_doesnt_say_so_follows_what_was_written_before_the_next_start() -> None:
    journal = [*FIRST, entry(1, 3, "end"), *SECOND]
    assert texts(WRITTEN, journal) == [
        "start 1.0", "epoch 1.1", "a", "b", "c", "d", "end 1.3",
        "start 2.0", "warning 2.1", "e",
    ]  # fmt: skip
    assert texts(WRITTEN, [*journal, entry(2, 2, "end")])[-2:] == ["e", "end 2.2"]


def test_lines_of_earlier_versions_come_before_the_last_end() -> None:
    journal = [entry(1, 0, "start"), entry(1, 1, "end"), entry(2, 0, "start"), entry(2, 1, "end")]
    assert texts(WRITTEN[:1], journal) == ["start 1.0", "end 1.1", "start 2.0", "a", "end 2.1"]


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[Written], list[JournalLine], list[tuple[int, int]]]:
    """What is written and told in turns, and how much of both each of some looks finds."""
    written: list[Written] = []
    journal: list[JournalLine] = []
    looks = []
    for seq, what in enumerate(draw(st.lists(st.sampled_from("wesl"), max_size=40))):
        size = written[-1].end if written else 0
        match what:
            case "w":
                written.append(Written(size + draw(st.integers(1, 5)), f"line {len(written)}"))
            case "e":
                journal.append(entry(1, seq, "epoch"))
            case "s":
                journal.append(entry(1, seq, "start", size))
            case _:
                looks.append((len(written), len(journal)))
    return written, journal, looks


@given(runs(), st.data())
def test_a_log_that_grows_ends_as_one_that_is_read_at_once(
    run: tuple[list[Written], list[JournalLine], list[tuple[int, int]]], data: st.DataObject
) -> None:
    written, journal, looks = run
    log, shown = RunLog(), list[LogLine]()
    at = told = 0
    for most_written, most_told in [*looks, (len(written), len(journal))]:
        upto = data.draw(st.integers(at, most_written)) if most_written > at else at
        if most_told == len(journal):
            upto = len(written)
        log.write(written[at:upto], written[upto - 1].end if upto else 0)
        log.tell(journal[told:most_told])
        at, told = upto, max(told, most_told)
        shown += log.settle()
    assert [*shown, *log.open_end()] == list(log_lines(written, journal))
