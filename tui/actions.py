"""Every action of the app, once: keys, footer label, help line and palette entry come from here.

An action ``choose('row')`` calls the method ``action_choose`` of the screen, or of the app for the
area ``app``. Keys are letters, F-keys, arrows, page keys, space, enter, escape or ctrl+letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen
from textual.types import IgnoreReturnCallbackType


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the user can do.

    Attributes:
        id: the method, without ``action_``; may carry arguments, as in ``show('live')``.
        keys: Textual's key names, the one to show first.
        label: a word or two, for the footer.
        help: one line, for help and palette.
        screens: the areas in which it works.
        show: whether the footer names it.
        key_label: how the key is written, where Textual's way isn't the clearest.
        own_keys: a widget binds the keys itself, as for moving a cursor: named in help only.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    screens: tuple[str, ...]
    show: bool = False
    key_label: str | None = None
    own_keys: bool = False


APP = (
    Action("show('launch')", ("1",), "Launch", "Choose runs and start them", ("app",)),
    Action("show('live')", ("2",), "Live", "Watch the queue and the run in training", ("app",)),
    Action("show('compare')", ("3",), "Compare", "Compare every run's result", ("app",)),
    Action("help", ("question_mark", "f1"), "Help", "Keys of this screen", ("app",), True, "?"),
    Action("toggle_theme", ("f2",), "Theme", "Change between dark and light", ("app",)),
    Action(
        "suspend_process",
        ("ctrl+z",),
        "Suspend",
        "Back to the shell for a while: `fg` there comes back",
        ("app",),
    ),
    Action(
        "request_quit",
        ("q", "ctrl+q", "ctrl+c"),
        "Quit",
        "Leave; what runs goes on in the background",
        ("app",),
        True,
    ),
)

LAUNCH = (
    Action(
        "move",
        ("up", "down", "left", "right"),
        "Move",
        "Move over the grid",
        ("launch",),
        key_label="↑↓←→",
        own_keys=True,
    ),
    Action(
        "choose('cell')",
        ("space",),
        "Select",
        "Select the cell, or not",
        ("launch",),
        True,
        "space",
    ),
    Action("choose('row')", ("r",), "Row", "Select the whole row, or not", ("launch",), True),
    Action("choose('column')", ("c",), "Col", "Select the whole column, or not", ("launch",), True),
    Action("choose('all')", ("a",), "All", "Select every cell, or none", ("launch",), True),
    Action(
        "launch_missing",
        ("enter", "l"),
        "Launch",
        "Launch what is missing of the selection",
        ("launch",),
        True,
        "⏎",
    ),
    Action(
        "launch_all",
        ("L",),
        "Again",
        "Launch the whole selection again, done or not",
        ("launch",),
        key_label="L",
    ),
    Action("fetch", ("f",), "Fetch", "Fetch the data set under the cursor", ("launch",), True),
    Action(
        "options",
        ("o",),
        "Form",
        "Seeds, lengths, settings: to the form and back",
        ("launch",),
        True,
    ),
    Action(
        "leave_form",
        ("escape",),
        "Back to the grid",
        "From the form back to the grid",
        ("launch",),
        True,
        "esc",
    ),
)

LIVE = (
    Action(
        "move",
        ("up", "down", "home", "end"),
        "Move",
        "Choose the run that is shown",
        ("live",),
        key_label="↑↓",
        own_keys=True,
    ),
    Action("open", ("enter",), "Details", "Open the selected run", ("live",), True, "⏎"),
    Action("cancel", ("x",), "Cancel", "Cancel the selected run, after asking", ("live",), True),
    Action(
        "retry",
        ("t",),
        "Retry",
        "Queue the selected run again: it goes on from its checkpoint",
        ("live",),
        True,
    ),
    Action("pause", ("p",), "Pause", "Pause the queue, or let it go on", ("live",), True),
    Action(
        "next_chart", ("g",), "Chart", "Show the next chart large, or all again", ("live",), True
    ),
    Action("scroll_log(-5)", ("pageup",), "Log back", "Scroll the log back", ("live",)),
    Action("scroll_log(5)", ("pagedown",), "Log on", "Scroll the log on", ("live",)),
    Action("follow", ("f",), "Follow", "Go to the end of the log and follow it", ("live",), True),
)

COMPARE = (
    Action(
        "filter", ("slash",), "Filter", "Show only runs with these words", ("compare",), True, "/"
    ),
    Action(
        "clear",
        ("escape",),
        "Clear",
        "Empty the filter and go back to the table",
        ("compare",),
        True,
    ),
    Action(
        "move",
        ("up", "down", "left", "right"),
        "Move",
        "Move over runs and columns",
        ("compare",),
        key_label="↑↓←→",
        own_keys=True,
    ),
    Action(
        "sort",
        ("s",),
        "Sort",
        "Sort by the column under the cursor; again, the other way",
        ("compare",),
        True,
    ),
    Action(
        "aggregate",
        ("a",),
        "Aggregate",
        "How a run's epochs become a figure: best, max, last, mean",
        ("compare",),
        True,
    ),
    Action(
        "reference",
        ("r",),
        "Reference",
        "Published figures beside ours, or not",
        ("compare",),
        True,
    ),
    Action(
        "details", ("enter",), "Details", "Open the run under the cursor", ("compare",), True, "⏎"
    ),
    Action("copy", ("y",), "Copy", "Copy the figure under the cursor, every digit", ("compare",)),
)

RUN = (
    Action("close", ("escape", "backspace"), "Back", "Back to where you came from", ("run",), True),
    Action("retry", ("t",), "Retry", "Try the run again, from its checkpoint", ("run",), True),
    Action(
        "amend",
        ("T",),
        "Changed",
        "Try it with the proposed change, as a new run",
        ("run",),
        True,
        "T",
    ),
    Action("cancel", ("x",), "Cancel", "Cancel the run, after asking", ("run",), True),
    Action(
        "delete", ("d",), "Delete", "Delete the run and its folder, after asking", ("run",), True
    ),
    Action("note", ("n",), "Note", "Write a note about the run", ("run",), True),
    Action("copy", ("y",), "Copy", "Copy the command that launches the run again", ("run",), True),
)

ALWAYS = ("ctrl+c", "ctrl+q")
"""Keys that work even where the focused widget would take them."""

ACTIONS = APP + LAUNCH + LIVE + COMPARE + RUN


def actions_for(area: str) -> Iterator[Action]:
    """The actions of one area, in the order of help and footer."""
    return (action for action in ACTIONS if area in action.screens)


def bindings_for(area: str) -> list[Binding]:
    """Bindings for the ``BINDINGS`` of the screen (or app) of an area."""
    return [
        Binding(
            key,
            action.id,
            action.label,
            show=action.show and key == action.keys[0],
            key_display=key_text(action),
            tooltip=action.help,
            priority=key in ALWAYS,
        )
        for action in actions_for(area)
        for key in action.keys
        if not action.own_keys
    ]


_KEY_NAMES = {
    "question_mark": "?", "slash": "/", "enter": "⏎", "escape": "esc", "upper_l": "L",
    "pageup": "pgup", "pagedown": "pgdn", "left": "←", "right": "→", "up": "↑", "down": "↓",
}  # fmt: skip


def key_text(action: Action, every: bool = False) -> str:
    """How an action's key is written: the first, or with ``every`` all of them."""
    if not every:
        return action.key_label or _key_name(action.keys[0])
    if action.key_label and len(action.key_label) > 1:
        return action.key_label
    names = [_key_name(key) for key in action.keys]
    return "  ".join(dict.fromkeys(names))


def _key_name(key: str) -> str:
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+")
    return _KEY_NAMES.get(key, key)


def area_of(screen: Screen[object]) -> str | None:
    """The area of a screen: its class attribute ``AREA``, if it has one."""
    area = getattr(screen, "AREA", None)
    return area if isinstance(area, str) else None


class ActionCommands(Provider):
    """The palette: every action that works on the screen beneath, then those of the app."""

    async def discover(self) -> Hits:
        """All of them."""
        for action, run in self._available():
            yield DiscoveryHit(_title(action), run, help=action.help)

    async def search(self, query: str) -> Hits:
        """Those whose label or help matches."""
        matcher = self.matcher(query)
        for action, run in self._available():
            title = _title(action)
            score = max(matcher.match(title), 0.9 * matcher.match(action.help))
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, text=title, help=action.help)

    def _available(self) -> Iterator[tuple[Action, IgnoreReturnCallbackType]]:
        screen = self.screen
        area = area_of(screen)
        for action in ACTIONS:
            if action.own_keys:
                continue
            if area in action.screens:
                yield action, _runner(screen, action)
            elif "app" in action.screens:
                yield action, _runner(None, action, self)


def _runner(
    screen: Screen[object] | None, action: Action, provider: Provider | None = None
) -> IgnoreReturnCallbackType:
    async def run() -> None:
        if screen is not None:
            await screen.run_action(action.id)
        elif provider is not None:
            await provider.app.run_action(action.id)

    return run


def _title(action: Action) -> str:
    return f"{action.label}  ({key_text(action)})"
