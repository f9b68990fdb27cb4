"""Reading the configuration: YAML in ``configs/``, in layers, merged and validated.

A layer is a folder laid out like ``configs/``. The package's own comes first, then the user's
``./configs``, then ``--config-dir``. An entry of the same name in a later layer overrides the keys
that it has; a new name adds an entry.
"""

from engine.config.catalogue import Catalogue
from engine.config.entries import ModelEntry, Settings, Slots
from engine.config.launchers import LOCAL, SlurmProfile
from engine.config.layers import (
    EntryExistsError,
    builtin_configs,
    config_layers,
    model_folders,
    user_entry,
    user_layer,
)
from engine.config.load import (
    keep_models,
    load_catalogue,
    load_launchers,
    load_settings,
    with_published,
)
from engine.config.overrides import override_keys, parse_override
from engine.config.published import PublishedTable

__all__ = [
    "LOCAL",
    "Catalogue",
    "EntryExistsError",
    "ModelEntry",
    "PublishedTable",
    "Settings",
    "Slots",
    "SlurmProfile",
    "builtin_configs",
    "config_layers",
    "keep_models",
    "load_catalogue",
    "load_launchers",
    "load_settings",
    "model_folders",
    "override_keys",
    "parse_override",
    "user_entry",
    "user_layer",
    "with_published",
]  # fmt: skip
