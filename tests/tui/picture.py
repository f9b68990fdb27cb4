"""What a terminal shows and how it is set after the bytes that a program sent it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

from rich.cells import cell_len

SEQUENCE = re.compile(
    r"\x1b\[(?P<private>[?<>=]?)(?P<numbers>[\d;:]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b[\]P_^X](?:[^\x07\x18\x1b]|\x1b(?!\\))*?(?:\x07|\x1b\\|\x18)"
    r"|\x1b[ -/]*[0-Z\\^-~]"
)
UNFINISHED = re.compile(r"\x1b(?:\[[?<>=]?[\d;:]*[ -/]*|[\]P_^X][^\x07\x18]*)?\Z")

QUIET_MODES = {
    1000: "the mouse", 1003: "the mouse's way", 1006: "the mouse", 1015: "the mouse",
    1016: "the mouse in pixels", 1004: "focus", 2004: "pasting", 2048: "sizes",
    1049: "the alternate screen", 2026: "drawing held back",
}  # fmt: skip
"""What an ordinary shell finds off."""


class Picture:
    """A terminal of ``width`` × ``height``: the text of two screens, the cursor, the modes."""

    def __init__(self, width: int, height: int) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self.modes = {7: True, 25: True}
        self.keyboards = 0
        self._kept = (0, 0)
        self._screens: dict[bool, dict[tuple[int, int], str]] = {False: {}, True: {}}
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.x = self.y = 0

    @property
    def _cells(self) -> dict[tuple[int, int], str]:
        return self._screens[self.modes.get(1049, False)]

    @property
    def text(self) -> str:
        """What is shown, without blanks at the ends of lines."""
        return "\n".join(
            "".join(self._cells.get((x, y), " ") for x in range(self.width)).rstrip()
            for y in range(self.height)
        )

    def left_on(self) -> list[str]:
        """What a shell would not find as it should be; empty for a terminal put right."""
        found = [f"{name} ({mode})" for mode, name in QUIET_MODES.items() if self.modes.get(mode)]
        found += ["no cursor"] * (not self.modes[25]) + ["no wrapping"] * (not self.modes[7])
        return found + ["Kitty's keyboard"] * (self.keyboards > 0)

    def feed(self, data: bytes) -> None:
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self._print(text[at])
                at += 1
            elif found := SEQUENCE.match(text, at):
                self._obey(found)
                at = found.end()
            elif UNFINISHED.match(text, at):
                self._rest = text[at:]
                return
            else:
                at += 1  # cancelled

    def _print(self, character: str) -> None:
        if character == "\r":
            self.x = 0
        elif character == "\n":
            self.y = min(self.y + 1, self.height - 1)
        elif character == "\b":
            self.x = max(0, self.x - 1)
        elif character >= " ":
            self._cells[self.x, self.y] = character
            for extra in range(1, cell_len(character)):
                self._cells[self.x + extra, self.y] = ""
            self.x += cell_len(character)

    def _obey(self, found: re.Match[str]) -> None:
        final, private = found["final"], found["private"]
        if final is None:
            return
        numbers = [int(number or 0) for number in re.split("[;:]", found["numbers"])]
        if private == "?" and final in "hl" and not found["between"]:
            for mode in numbers:
                if mode == 1049:
                    self._screens[True] = {}
                    if final == "h":
                        self._kept = self.x, self.y
                    else:
                        self.x, self.y = self._kept
                self.modes[mode] = final == "h"
        elif private == ">" and final == "u":
            self.keyboards += 1
        elif private == "<" and final == "u":
            self.keyboards = max(0, self.keyboards - 1)
        elif not private and final == "H":
            self.y = (numbers[0] or 1) - 1
            self.x = ((numbers[1] if len(numbers) > 1 else 1) or 1) - 1
        elif not private and final == "J" and numbers[0] == 2:
            self._cells.clear()


def steady(lines: Iterable[str]) -> list[str]:
    """A picture's lines without those that tell the machine's load of this moment."""
    return [line for line in lines if " in use" not in line]
