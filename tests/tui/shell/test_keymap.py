"""Keys of the user's choice: checked, and the same in bindings, footer, help and palette."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_runs import LiveStore
from pilots import screen_text, settled, wait_for
from textual.command import CommandPalette

from engine.errors import ConfigError, UsageError
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.dialogs.help import HelpScreen
from tui.keys import ACTIONS
from tui.launch.screen import LaunchScreen
from tui.shell.action import Action, key_text
from tui.shell.keymap import read_keymap
from tui.shell.preferences import Preferences, read_preferences
from tui.widgets.key_bar import KeyBar


def app_with(location: StoreLocation, **keys: tuple[str, ...]) -> SeqbenchApp:
    wanted = {name.replace("__", ".").replace("_", "-"): chosen for name, chosen in keys.items()}
    return SeqbenchApp(location, preferences=Preferences(keymap=read_keymap(wanted, ACTIONS)))


def test_every_action_has_a_name_of_its_own() -> None:
    names = [action.name for action in ACTIONS]
    assert len(set(names)) == len(names)
    assert {"launch.choose-row", "app.help", "live.log-back"} <= set(names)
    there, back = (Action(f"go({n})", ("x",), "", "", ("live",)).name for n in (1, -1))
    assert (there, back) == ("live.go-1", "live.go-back-1")


def test_each_key_of_an_action_is_written_as_it_is_typed() -> None:
    actions = {action.name: action for action in ACTIONS}
    written = {name: key_text(action, every=True) for name, action in actions.items()}
    assert written["chart.zoom-2"] == "+  ="
    assert written["chart.zoom-0-5"] == "-"
    assert written["compare.filter"] == "/"
    assert written["launch.launch-missing"] == "⏎  l"
    assert written["compare.move"] == "↑↓←→"


async def test_a_chosen_key_does_it_and_the_old_one_does_not(absent_store: StoreLocation) -> None:
    async with app_with(absent_store, launch__choose_all=("e",)).run_test() as pilot:
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, LaunchScreen)
        await pilot.press("a")
        await pilot.pause()
        assert not screen.grid.selected
        await pilot.press("e")
        cells = len(screen.grid.keys())
        await wait_for(pilot, lambda: len(screen.grid.selected) == cells, "all selected")


async def test_two_actions_may_exchange_their_keys(absent_store: StoreLocation) -> None:
    keys = {"launch__choose_row": ("c",), "launch__choose_column": ("r",)}
    async with app_with(absent_store, **keys).run_test() as pilot:
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, LaunchScreen)
        await pilot.press("c")
        await wait_for(pilot, lambda: len(screen.grid.selected) > 1, "a row")
        assert len({model for model, _, _ in screen.grid.selected}) == 1
        assert len({dataset for _, dataset, _ in screen.grid.selected}) > 1


async def test_several_keys_work_everywhere(busy_store: LiveStore) -> None:
    app = app_with(busy_store.location, app__show_live=("f9", "#"))
    async with app.run_test() as pilot:
        await settled(pilot)
        for key in ("f9", "number_sign"):
            await pilot.press("1", key)
            await wait_for(pilot, lambda: app.current_mode == "live", "the Live screen")


async def test_footer_help_palette_and_tabs_say_the_chosen_key(absent_store: StoreLocation) -> None:
    keys = {"launch__fetch": ("G",), "app__show_compare": ("f7",)}
    async with app_with(absent_store, **keys).run_test(size=(120, 60)) as pilot:
        app = pilot.app
        await settled(pilot)
        footer = [(entry.key, entry.label) for entry in app.screen.query_one(KeyBar).entries]
        assert ("G", "Fetch") in footer
        order = [description for _, description in footer]
        assert order.index("All") < order.index("Fetch") < order.index("Save")
        assert "f7 Compare" in screen_text(app)
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: isinstance(app.screen, HelpScreen), "help")
        await wait_for(pilot, lambda: "Fetch the data set" in screen_text(app), "its text")
        line = next(line for line in screen_text(app).splitlines() if "Fetch the data set" in line)
        assert " G " in line
        await pilot.press("escape", "ctrl+p")
        await wait_for(pilot, lambda: isinstance(app.screen, CommandPalette), "palette")
        await pilot.press(*"fetch the")
        options = app.screen.query_one("CommandList")
        await wait_for(pilot, lambda: options.option_count, "a hit")  # type: ignore[attr-defined]
        prompt = str(options.get_option_at_index(0).prompt)  # type: ignore[attr-defined]
        assert "Fetch  (G)" in prompt


@pytest.mark.parametrize(
    ("name", "keys", "sentence"),
    [
        ("launch.fetsh", ("x",), "there is no action 'launch.fetsh': did you mean 'launch.fetch'?"),
        ("zzz", ("x",), "there is no action 'zzz': `seqbench keys` lists them."),
        ("launch.move", ("x",), "the keys of launch.move can't be changed."),
        ("launch.fetch", ("hyper+x",), "'hyper+x' isn't a key: write a character, ctrl+ and a"),
        ("launch.fetch", ("pgup",), "such as pageup."),
        ("launch.fetch", ("ctrl+m",), "a terminal can't distinguish ctrl+m from enter."),
        ("launch.fetch", ("r",), "the key r would mean two things: launch."),
        ("launch.fetch", ("?",), "the key ? would mean two things: "),
        ("app.help", ("s",), "the key s would mean two things: "),
    ],
)
def test_what_can_not_be_is_one_sentence(name: str, keys: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_keymap({name: keys}, ACTIONS)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


# The file


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "terminal.yaml"
    path.write_text(text)
    return path


def test_no_file_is_no_wish() -> None:
    assert read_preferences(lambda: ACTIONS) == Preferences()


def test_later_files_go_before_earlier_ones(tmp_path: Path) -> None:
    written(tmp_path / "config" / "seqbench", "mouse: false\nkeys: {launch.fetch: F, app.help: h}")
    written(tmp_path / "mine", "glyphs: ascii\nkeys:\n  app.help: [f1, '?', 9]\n")
    found = read_preferences(lambda: ACTIONS, tmp_path / "mine")
    assert (found.mouse, found.glyphs, found.low_bandwidth) == (False, "ascii", None)
    assert found.keymap.chosen == {
        "launch.fetch": ("F",),
        "app.help": ("f1", "question_mark", "9"),
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mouze: false", "mouze: is not known: did you mean 'mouse'?"),
        ("mouse: 1", "mouse: expected true or false, not 1."),
        ("glyphs: utf8", "glyphs: expected one of auto, unicode, ascii, not 'utf8'."),
        ("low-bandwidth: sometimes", "low-bandwidth: expected true or false, not 'sometimes'."),
        ("theme: nrod", "theme: there is no theme 'nrod': did you mean 'nord'?"),
        ("theme: [nord]", "theme: expected the name of a theme"),
        ("keys: F", "keys: expected names of actions with their keys, not 'F'."),
        ("keys: {app.help: {}}", "keys: expected a key, or a list of keys, for app.help"),
        ("keys: {app.halp: h}", "did you mean 'app.help'?"),
        ("[1, 2]", "expected a mapping"),
    ],
)
def test_a_wrong_file_is_one_sentence_with_its_line(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = written(tmp_path / "mine", text)
    with pytest.raises(ConfigError) as caught:
        read_preferences(lambda: ACTIONS, tmp_path / "mine")
    assert str(caught.value).startswith(f"{path}:1")
    assert sentence in str(caught.value)


def test_the_command_line_goes_before_the_file() -> None:
    chosen = Preferences(mouse=True, glyphs="unicode", low_bandwidth=False)
    told = chosen.overridden(mouse=False, ascii_only=True, low_bandwidth=True)
    assert (told.mouse, told.glyphs, told.low_bandwidth) == (False, "ascii", True)
    assert chosen.overridden(mouse=True, ascii_only=False, low_bandwidth=False) == chosen
