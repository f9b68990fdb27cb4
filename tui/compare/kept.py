"""What the comparison remembers from one start of the app to the next."""

from __future__ import annotations

from functools import partial

from engine.store.location import StoreLocation
from tui.compare.columns import columns_offer
from tui.compare.view import View
from tui.lab import Lab
from tui.shell import remembered
from tui.shell.presence import topic_of


def view_at_first(location: StoreLocation) -> View:
    """Return what is shown when the app is opened: the columns that were chosen last, and the
    store's baseline."""
    kept = remembered.recall(_topic(location)).get("baseline")
    return View(columns_offer().recall(), baseline=kept if isinstance(kept, str) else "")


def keep_baseline(app: Lab, view: View) -> None:
    """Remember the baseline of the app's store, in a thread."""
    content = {"store": str(app.location.db), "baseline": view.baseline}
    keep = partial(remembered.keep, _topic(app.location), content)
    app.run_worker(keep, group="remember-baseline", thread=True)


def _topic(location: StoreLocation) -> str:
    return topic_of("compare", location)
