"""YAML in ``configs/``, read in layers, merged, and checked: what was expected, where, and the
nearest valid name.

A layer is a folder shaped like ``configs/``. The package's own comes first, then the user's
``./configs``, then ``--config-dir``. An entry of the same name in a later layer overrides the
keys that it names; a new name adds an entry.
"""

from engine.config.catalogue import Catalogue
from engine.config.entries import ModelEntry, ReferenceTable, Settings, Slots
from engine.config.layers import builtin_configs, config_layers, entry_files, user_layer
from engine.config.load import load_catalogue
from engine.config.overrides import overlay, override_keys, parse_override

__all__ = [
    "Catalogue", "ModelEntry", "ReferenceTable", "Settings", "Slots", "builtin_configs",
    "config_layers", "entry_files", "load_catalogue", "overlay", "override_keys",
    "parse_override", "user_layer",
]  # fmt: skip
