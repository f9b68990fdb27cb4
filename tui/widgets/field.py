"""Text fields that apply keys in the order in which they were typed, however fast they come.

Textual's own insert a character at once, but leave backspace, arrows and all that is bound to the
app, which hears of it later: of keys that come in one packet, as over SSH, the characters are
inserted first and the others done afterwards.
"""

from __future__ import annotations

from textual.events import Key
from textual.widget import Widget
from textual.widgets import Input

from tui.shell.private import own_bindings


class Field(Input):
    """A field of one line."""

    async def on_key(self, event: Key) -> None:
        """Run a key's binding at once, before the next key is handled."""
        await act_at_once(self, event)


async def act_at_once(field: Widget, event: Key) -> None:
    """Run the field's own binding of a key; a character is left to its handler."""
    if not event.is_printable:
        for binding in own_bindings(field, event.key):
            if await field.app.run_action(binding.action, field):
                event.stop()
                return
