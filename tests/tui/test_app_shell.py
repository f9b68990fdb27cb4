from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from live_lines import screen_text
from live_runs import LiveStore
from pilots import settled, wait_for
from terminals import DEADLINE
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Static

from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import list_runs
from tui.app import SeqbenchApp
from tui.charts.screen import ChartScreen
from tui.compare.scatter.screen import ScatterScreen
from tui.compare.screen import CompareScreen
from tui.data.screen import DataScreen
from tui.dialogs.help import HelpScreen
from tui.dialogs.quit import QuitScreen
from tui.keys import ACTIONS
from tui.launch.screen import LaunchScreen
from tui.live.screen import LiveScreen
from tui.messages import Snapshot
from tui.parts.follow import StoreFollower
from tui.pivot.screen import PivotScreen
from tui.run.replay.screen import ReplayScreen
from tui.run.screen import RunScreen
from tui.shell.action import actions_for
from tui.shell.bindings import area_of, bindings_for
from tui.shell.keys import UNDO
from tui.shell.states import STATE_GLYPH, STATE_MEANING, STATE_STYLE, STATES, rich_style
from tui.shell.theme import SEQBENCH, SEQBENCH_LIGHT
from tui.study.screen import StudyScreen
from tui.widgets.dialog import Dialog
from tui.widgets.header import Header

ROOT = Path(__file__).parents[2]


# Start-up


def test_first_paint_is_light(tmp_path: Path) -> None:
    code = """
import asyncio, sys
from pathlib import Path
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp

HEAVY = {"torch", "pandas", "numpy", "sqlite_utils", "pydantic"}
app = SeqbenchApp(StoreLocation(Path(sys.argv[1])))
painted = []
show = app._start_threads
def look():
    painted.append(sorted(HEAVY & sys.modules.keys()))
    painted.append(app.screen.query_one("#grid").render_line(0) is not None)
    show()
app._start_threads = look

async def main():
    async with app.run_test(size=(80, 24)) as pilot:
        while not (app.snapshot.version and app.screen.query("#form-hint")):
            await pilot.pause(0.01)
    late = sorted({"torch", "pandas", "numpy", "sqlite_utils"} & sys.modules.keys())
    print(painted, late)
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "runs.db")],
        cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "[[], True] []", done.stderr


# Moving about


async def test_keys_open_the_three_screens(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        for key, mode in (("2", "live"), ("3", "compare"), ("1", "launch"), ("3", "compare")):
            await pilot.press(key)
            await wait_for(pilot, lambda mode=mode: pilot.app.current_mode == mode, mode)
            assert pilot.app.screen.query_one(Header).active == mode
        assert not absent_store.db.exists()


async def test_a_click_on_a_tab_opens_it(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        header = pilot.app.screen.query_one(Header)
        x = next(x for x in range(120) if header.tab_at(x) == "compare")
        await pilot.click(Header, offset=(x, 0))
        await wait_for(pilot, lambda: pilot.app.current_mode == "compare", "compare")


async def test_the_header_counts_runs_by_state(busy_store: LiveStore) -> None:
    async with SeqbenchApp(busy_store.location).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        text = str(pilot.app.screen.query_one(Header).render())
        assert "◐ 1  ○ 2  ● 2  ✗ 1" in text
        busy_store.launch("sasrec", seed=9)
        await wait_for(
            pilot,
            lambda: "○ 3" in str(pilot.app.screen.query_one(Header).render()),
            "one more in the queue",
        )


async def test_a_store_with_cancelled_runs_only_has_runs(empty_store: LiveStore) -> None:
    empty_store.mark(empty_store.launch("sasrec"), "cancelled")
    async with SeqbenchApp(empty_store.location).run_test(size=(160, 36)) as pilot:
        await settled(pilot)
        header = pilot.app.screen.query_one(Header)
        await wait_for(pilot, lambda: header.app.snapshot.exists, "the store is known")
        text = str(header.render())
        assert "⊘ 1 cancelled" in text, text
        assert "no runs yet" not in text
        header.app.snapshot = Snapshot()
        assert "no runs yet" not in str(header.render()), "nobody has looked yet"


async def test_news_do_not_pile_up_while_the_app_hears_nothing(
    busy_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Snapshot] = []
    look = StoreFollower.look

    def noted(self: StoreFollower) -> Snapshot | None:
        if (snapshot := look(self)) is not None:
            seen.append(snapshot)
        return snapshot

    monkeypatch.setattr(StoreFollower, "look", noted)
    app = SeqbenchApp(busy_store.location)
    async with app.run_test() as pilot:
        await settled(pilot)
        heard: list[Snapshot] = []
        app.watch(app, "snapshot", lambda new: heard.append(new), init=False)
        for seed in range(3, 7):
            before = len(seen)
            busy_store.launch("sasrec", seed=seed)
            while len(seen) == before:  # the app's loop stands still
                time.sleep(0.01)
        await wait_for(pilot, lambda: app.snapshot == seen[-1], "the newest")
        assert len(heard) <= 2


# Leaving


async def test_nothing_running_quits_at_once(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("q")
        await wait_for(pilot, lambda: not app.is_running or app._exit, "the end")
    assert app.return_code == 0


async def test_leaving_while_the_form_is_made_is_no_error(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test() as pilot:
        await settled(pilot)
        # What Textual's Select does when it is mounted and its parts aren't made any more.
        app.screen.mount(WithoutParts())
        app.exit()
    assert app.return_code == 0


class WithoutParts(Static):
    """Looks for a part that it has not."""

    def on_mount(self) -> None:
        self.query_one("#label")


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_quitting_says_what_goes_on(
    busy_store: LiveStore, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    app = SeqbenchApp(busy_store.location)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("o", key if key == "ctrl+c" else "escape", *([key] if key == "q" else []))
        await wait_for(pilot, lambda: isinstance(app.screen, QuitScreen), "the question")
        text = str(app.screen.query_one(Static).content)
        assert "1 run is training" in text
        assert "2 runs wait" in text
        assert f"seqbench --db {busy_store.location.db}" in text
        with closing(connect_reader(busy_store.location)) as con:
            unfinished = list_runs(con, ["running", "queued"])
        for run in unfinished:
            busy_store.mark(run.id, "cancelled")
        said = app.screen.query_one(Static)
        await wait_for(pilot, lambda: "No run is training" in str(said.content), "the new count")
        await pilot.press("escape")
        assert isinstance(app.screen, LaunchScreen)
        await pilot.press("ctrl+c", "enter")
        await wait_for(pilot, lambda: app._exit, "the end")


# Help and palette


async def test_help_names_every_key_of_the_screen(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 140)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        await pilot.pause()
        inside = pilot.app.screen.query_one(Dialog).region
        lines = (
            line[inside.x : inside.right].replace("│", " ").split()
            for line in screen_text(pilot.app)
        )
        text = " ".join(word for line in lines for word in line)  # long lines are wrapped
        for action in (*actions_for("launch", ACTIONS), *actions_for("app", ACTIONS)):
            assert action.help in text, action.id
        assert STATE_MEANING["lost"][:20] in text
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, LaunchScreen)


async def test_the_palette_runs_actions_by_name(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, CommandPalette), "palette")
        await pilot.press(*"every cell")
        await wait_for(
            pilot,
            lambda: pilot.app.screen.query_one("CommandList").option_count > 0,  # type: ignore[attr-defined]
            "a hit",
        )
        await pilot.press("enter")
        screen = pilot.app.screen_stack[0]
        assert isinstance(screen, LaunchScreen)
        await wait_for(
            pilot, lambda: len(screen.grid.selected) == len(screen.grid.keys()), "all selected"
        )


def test_every_action_is_a_method_of_its_screen() -> None:
    def missing(area: str, owner: type) -> set[str]:
        own = (action for action in actions_for(area, ACTIONS) if not action.own_keys)
        named = (action for action in own if action.id != UNDO.id)  # the app's, on each screen
        methods = {action.id: "action_" + action.id.partition("(")[0] for action in named}
        return {name for name, method in methods.items() if not hasattr(owner, method)}

    assert missing("app", SeqbenchApp) == missing("launch", LaunchScreen) == set()
    assert area_of(LaunchScreen()) == "launch"


SCREENS = (
    ChartScreen, CompareScreen, DataScreen, LaunchScreen, LiveScreen, PivotScreen, ReplayScreen,
    RunScreen, ScatterScreen, StudyScreen,
)  # fmt: skip


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_binds_every_action_of_its_area(screen: type[Screen[None]]) -> None:
    assert bindings_for(screen.AREA, ACTIONS) == screen.BINDINGS  # type: ignore[attr-defined]


@pytest.mark.parametrize("area", ["launch", "live", "compare", "study"])
def test_no_key_means_two_things_on_one_screen(area: str) -> None:
    keys = [
        binding.key for binding in (*bindings_for(area, ACTIONS), *bindings_for("app", ACTIONS))
    ]
    twice = {key for key in keys if keys.count(key) > 1}
    # A rectangle, a form or a search that is open takes these until it is closed.
    assert twice <= {"enter", "escape"}


def test_u_undoes_on_every_screen_and_does_nothing_else() -> None:
    for area in {area for action in ACTIONS for area in action.screens} - {"app"}:
        [undo] = [action for action in actions_for(area, ACTIONS) if "u" in action.keys]
        assert undo.name == "compare.undo"


def test_keys_are_ones_that_every_terminal_sends() -> None:
    for action in ACTIONS:
        if action.id == "extend":
            continue  # some don't send shift with arrows: `v` does the same
        for key in action.keys:
            assert not key.startswith(("alt+", "super+", "shift+", "ctrl+shift+")), action.id


# Trouble


async def test_bad_configuration_is_one_sentence_and_the_rest_works(
    busy_store: LiveStore, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "x.yaml").write_text("name: x\ntitle: X\nprofils: {}\n")
    async with SeqbenchApp(busy_store.location, folder).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        text = str(pilot.app.screen.query_one("#trouble", Static).content)
        assert "x.yaml" in text
        assert "profil" in text
        await pilot.press("enter", "l", "L", "f", "a", "space", "o")
        await pilot.press("2")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "live")
        await pilot.press("3")
        await wait_for(pilot, lambda: pilot.app.current_mode == "compare", "compare")


async def test_a_damaged_store_is_a_sentence(absent_store: StoreLocation) -> None:
    absent_store.db.write_bytes(b"no database" * 1000)
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert "runs.db" in str(pilot.app.snapshot.problem)
        assert "store unreadable" in str(pilot.app.screen.query_one(Header).render())


async def test_hostile_names_are_shown_inert(tmp_path: Path, absent_store: StoreLocation) -> None:
    folder = tmp_path / "mine"
    (folder / "models").mkdir(parents=True)
    title = '"[red]\\e[31mEvil[/red]\\u202e"'
    size = "{architecture: {dim: 64, layers: 1, heads: 2}}"
    (folder / "models" / "evil.yaml").write_text(
        f"name: evil\ntitle: {title}\nprofiles:\n  reference:\n"
        f"    architecture: {{model: sasrec}}\n    sizes: {{small: {size}}}\n"
    )
    app = SeqbenchApp(absent_store, folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        grid = app.screen.query_one("#grid")
        grid.move_to(("evil", "synthetic", 50))  # type: ignore[attr-defined]
        await settled(pilot)
        lines = "\n".join(grid.render_line(y).text for y in range(grid.size.height))
        assert "[red]Evil[/" in lines  # the rest is cut
        assert "\x1b" not in lines
        assert "\u202e" not in lines
        assert "[red]Evil[/red] ×" in str(app.screen.query_one("#detail", Static).content)


# Looks


@pytest.mark.parametrize("theme", [SEQBENCH.name, SEQBENCH_LIGHT.name])
async def test_text_and_states_can_be_read_in_both_themes(
    absent_store: StoreLocation, theme: str
) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test() as pilot:
        app.theme = theme
        await pilot.pause()
        ground = luminance(app.theme_variables["background"])
        for name in ("foreground", "text-muted", "accent", "error", "primary"):
            assert contrast(luminance(app.theme_variables[name]), ground) >= 4.5, name
        for state in STATES:
            colour = rich_style(app, STATE_STYLE[state]).color
            assert colour is not None
            assert colour.triplet is not None
            assert contrast(luminance(colour.triplet.hex), ground) >= 4.5, state


async def test_themes_that_know_no_states_still_work(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test() as pilot:
        await settled(pilot)
        for name in ("nord", "textual-light", "textual-ansi", "seqbench-light"):
            if name in app.available_themes:
                app.theme = name
                await pilot.pause()
        assert app.screen.query_one("#grid").render_line(2).text


def test_every_state_has_a_look() -> None:
    assert STATE_GLYPH.keys() == STATE_STYLE.keys() == STATE_MEANING.keys()
    assert len(set(STATE_GLYPH.values())) == len(STATE_GLYPH)


def luminance(value: str) -> float:
    parts = (int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: float, b: float) -> float:
    """WCAG 2.1 contrast ratio."""
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
