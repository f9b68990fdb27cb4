"""The settings of users' own models that a store's runs have."""

from __future__ import annotations

from engine.modelinfo.own_settings import ModelSetting, meet_settings
from engine.store.compare.comparison import SQL
from engine.store.compare.filter_sql import field_names
from engine.store.database import StoreConnection


def meet_stored_settings(connection: StoreConnection) -> None:
    """Let columns and filters know the settings that the store has values of.

    Takes two look-ups in an index for each of their names, however many runs there are. A name that
    runs have another column or field of isn't taken.
    """
    rows = connection.rows(
        "WITH RECURSIVE found(name) AS (SELECT min(name) FROM settings UNION ALL"
        " SELECT (SELECT min(name) FROM settings WHERE name > found.name) FROM found"
        " WHERE found.name IS NOT NULL)"
        " SELECT name, (SELECT typeof(max(value)) FROM settings WHERE name = found.name)"
        " FROM found WHERE name IS NOT NULL",
        (),
    )
    taken = {*SQL, *field_names()}
    meet_settings(
        ModelSetting(name, "text" if kind == "text" else "real")
        for name, kind in rows
        if name.lower() not in taken
    )
