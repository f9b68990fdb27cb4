"""What may be done in a state: what the app and the commands offer is what the supervisor does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import product

from click.testing import CliRunner
from live_runs import NOW, LiveStore
from pilots import settled, wait_for

from engine.config import Settings, load_catalogue
from engine.lifecycle import ENDED, STATES, UNFINISHED, WAITING, Action, Move, allowing, allows
from engine.store import requests
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.location import StoreLocation
from engine.supervisor.launcher import LocalLauncher, Pool
from engine.supervisor.queue import Queue
from tui.app import SeqbenchApp
from tui.cli.main import seqbench
from tui.live.queue_table import QueueTable
from tui.live.screen import LiveScreen
from tui.run.screen import RunScreen
from tui.shell.states import STATE_GLYPH, STATE_MEANING
from tui.shell.states import STATES as LISTED

MOVES: tuple[Move, ...] = ("first", "up", "down", "last")
ACTIONS: tuple[Action, ...] = ("cancel", "retry", "delete", *MOVES)

REQUESTS: Mapping[str, Callable[[StoreLocation, list[str]], None]] = {
    "cancel": requests.request_cancel,
    "retry": requests.request_retry,
    "delete": requests.request_delete,
    **{move: partial(requests.request_move, where=move) for move in MOVES},
}
COMMANDS = {
    "cancel": ("cancel",),
    "retry": ("retry",),
    "delete": ("delete",),
    **{move: ("move", f"--{move}") for move in MOVES},
}


def test_every_state_stands_in_the_table_and_has_its_looks(empty_store: LiveStore) -> None:
    assert set(LISTED) == set(STATES) == {*ENDED, *UNFINISHED}
    assert set(STATES) <= set(STATE_GLYPH) & set(STATE_MEANING)
    assert set(WAITING) < set(UNFINISHED)
    # The oldest tables have one more, which no run ever got into.
    names = ", ".join(f"'{state}'" for state in (*STATES, "paused"))
    with closing(connect_reader(empty_store.location)) as connection:
        made = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'runs'").fetchone()[0]
    assert f"CHECK (state IN ({names}))" in " ".join(made.split())
    for action in ACTIONS:
        assert allowing(action) == tuple(state for state in STATES if allows(state, action))
        assert not any(allows(state, action) for state in ("", None))
        assert allows("of-tomorrow", action) is (action in ("retry", "delete"))


def in_states(location: StoreLocation, states: Sequence[str]) -> list[str]:
    """A run in each of the states, the waiting ones in this order in the queue."""
    catalogue = load_catalogue()
    specs = [catalogue.run_spec("sasrec", "synthetic", 50, seed) for seed in range(len(states))]
    runs = requests.enqueue(location, specs)
    with closing(connect_writer(location)) as connection, write(connection):
        connection.executemany(
            "UPDATE runs SET state = ?, started = ?, finished = ? WHERE id = ?",
            [
                (state, None if state in WAITING else NOW, NOW if state in ENDED else None, run)
                for state, run in zip(states, runs, strict=True)
            ],
        )
    return runs


def standing(location: StoreLocation, run: str) -> tuple[object, ...]:
    """All of a run that an action may change: its state, its place, and whether it is to stop."""
    with closing(connect_reader(location)) as connection:
        rows = connection.execute(
            "SELECT id, state FROM runs ORDER BY state <> 'queued', position, id"
        ).fetchall()
    states = {row[0]: row[1] for row in rows}
    waiting = [row[0] for row in rows if row[1] == "queued"]
    place = waiting.index(run) if run in waiting else None
    return states.get(run), place, location.folder(run).cancel.exists()


def test_what_a_command_offers_the_supervisor_does_and_nothing_else(
    empty_store: LiveStore,
) -> None:
    location = empty_store.location
    queue = Queue(location, Settings(), {None: Pool(LocalLauncher(), [])})
    # No run is paused any more; a store of before may have one, which must lead somewhere.
    cases = list(product((*STATES, "paused"), ACTIONS))
    # One more waits on either side, so that each of them has a neighbor.
    _, *runs, _ = in_states(location, ["queued", *(state for state, _ in cases), "queued"])
    for (state, action), run in zip(cases, runs, strict=True):
        location.folder(run).path.mkdir(parents=True, exist_ok=True)
        before = standing(location, run)
        command, *options = COMMANDS[action]
        arguments = ["--db", str(location.db), command, run, *options]
        offered = CliRunner().invoke(seqbench, arguments).exit_code == 0
        assert offered is allows(state, action), (state, action)
        if not offered:  # as whoever looked before the state changed
            REQUESTS[action](location, [run])
        with closing(connect_writer(location)) as connection:
            queue.tick(connection)
            assert connection.rows("SELECT * FROM requests") == []
        done = standing(location, run) != before
        assert done is allows(state, action), (state, action)


async def test_what_a_screen_offers_is_what_may_be_done(empty_store: LiveStore) -> None:
    runs = in_states(empty_store.location, STATES)
    async with SeqbenchApp(empty_store.location).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, LiveScreen), "Live")
        live = pilot.app.screen
        assert isinstance(live, LiveScreen)
        await settled(pilot)
        states = dict(zip(runs, STATES, strict=True))
        queue = live.query_one(QueueTable)
        queue.action_move(-len(runs))
        for _ in runs:
            assert queue.selected is not None
            state = states.pop(queue.selected.id)
            offers = {
                "cancel": live.check_action("cancel", ()),
                "retry": live.check_action("retry", ()),
                **{move: live.check_action("reorder", (move,)) for move in MOVES},
            }
            assert offers == {action: allows(state, action) or None for action in offers}, state
            queue.action_move(1)
        assert not states
        for state, run in zip(STATES, runs, strict=True):
            page = RunScreen(run)
            pilot.app.push_screen(page)
            await wait_for(pilot, lambda page=page: page._page is not None, "the run")
            for action in ("cancel", "retry", "delete"):
                assert page.check_action(action, ()) is allows(state, action), (state, action)
            page.dismiss()
            await wait_for(pilot, lambda: pilot.app.screen is live, "Live again")
