"""What is told of runs that end: each once, and a suite when its last run has ended."""

from __future__ import annotations

from collections.abc import Callable

from engine.spec import RunSpec
from engine.store.database import StoreConnection, write
from engine.store.location import StoreLocation
from engine.store.news import Notification, NotificationReader
from engine.store.requests import enqueue
from engine.store.studies import end_study

MakeSpec = Callable[..., RunSpec]


def end(
    writer: StoreConnection, run: str, state: str, when: float, cause: str | None = None
) -> None:
    with write(writer):
        writer.execute(
            "UPDATE runs SET state = ?, finished = ?, cause = ? WHERE id = ?",
            (state, when, cause, run),
        )


def kinds(notifications: list[Notification]) -> list[str]:
    return [notification.kind for notification in notifications]


def test_a_failure_is_told_once_and_again_when_it_happens_again(
    location: StoreLocation, writer: StoreConnection, make_spec: MakeSpec
) -> None:
    old, run, _ = enqueue(location, [make_spec(seed=seed) for seed in range(3)])
    end(writer, old, "failed", 900.0)
    news = NotificationReader()
    assert news.look(writer) == [], "what had ended is no news"
    end(writer, run, "failed", 1_000.0, "diverged")
    (notification,) = news.look(writer)
    assert notification.kind == "run-failed"
    assert notification.run is not None
    assert notification.run.id == run
    assert notification.text == "sasrec × synthetic × 50, seed 1 has diverged: diverged"
    assert news.look(writer) == []
    with write(writer):
        writer.execute("UPDATE runs SET attempt = 2, state = 'lost', finished = 1200 WHERE id = ?",
                       (run,))  # fmt: skip
    (again,) = news.look(writer)
    assert "is lost" in again.text


def test_an_end_that_becomes_known_late_is_told(
    location: StoreLocation, writer: StoreConnection, make_spec: MakeSpec
) -> None:
    first, second, _ = enqueue(location, [make_spec(seed=seed) for seed in range(3)])
    news = NotificationReader()
    news.look(writer)
    end(writer, first, "failed", 1_000.0)
    assert len(news.look(writer)) == 1
    end(writer, second, "failed", 970.0)
    (late,) = news.look(writer)
    assert late.run is not None
    assert late.run.id == second


def test_a_suite_ends_with_its_last_run_and_the_queue_with_the_last_of_all(
    location: StoreLocation, writer: StoreConnection, make_spec: MakeSpec
) -> None:
    one, two = enqueue(location, [make_spec(seed=1), make_spec(seed=2)], suite="mine")
    (alone,) = enqueue(location, [make_spec(seed=3)])
    news = NotificationReader()
    news.look(writer)
    end(writer, one, "done", 1_000.0)
    assert news.look(writer) == []
    end(writer, two, "failed", 1_001.0)
    notifications = news.look(writer)
    assert kinds(notifications) == ["run-failed", "suite-ended"]
    assert notifications[1].text == "Suite mine has ended: 1 done, 1 failed."
    assert (notifications[1].suite, notifications[1].counts) == ("mine", {"done": 1, "failed": 1})
    end(writer, alone, "done", 1_002.0)
    (empty,) = news.look(writer)
    assert (empty.kind, empty.counts) == ("queue-empty", {"done": 1})


def test_what_is_cancelled_is_known_to_who_cancelled_it(
    location: StoreLocation, writer: StoreConnection, make_spec: MakeSpec
) -> None:
    (run,) = enqueue(location, [make_spec()])
    news = NotificationReader()
    news.look(writer)
    end(writer, run, "cancelled", 1_000.0)
    assert news.look(writer) == []


def test_between_two_trials_of_a_study_the_queue_is_not_empty(
    location: StoreLocation, writer: StoreConnection, make_spec: MakeSpec
) -> None:
    first, second = enqueue(location, [make_spec(seed=seed) for seed in range(2)])
    with write(writer):
        writer.execute("UPDATE runs SET study = 'one', trial = rowid")
    news = NotificationReader()
    news.look(writer)
    end(writer, first, "done", 1_000.0)
    end(writer, second, "done", 1_001.0)
    assert kinds(news.look(writer)) == []
    with write(writer):
        end_study(writer, "one", "over")
    end(writer, second, "done", 1_002.0)
    with write(writer):
        writer.execute("UPDATE runs SET attempt = 2 WHERE id = ?", (second,))
    assert kinds(news.look(writer)) == ["queue-empty"]
