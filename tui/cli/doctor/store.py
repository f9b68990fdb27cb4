"""What is wrong with a store, each with its cure: for ``db check`` and ``doctor``."""

from __future__ import annotations

from engine.errors import StoreError
from engine.store.intake.check import check
from tui.cli.session import Session


def store_problems(session: Session) -> list[str]:
    """Sentences; none where all is well."""
    if not session.has_store:
        return []
    try:
        with session.reader() as connection:
            return check(connection, session.location)
    except StoreError as error:
        return [str(error)]
