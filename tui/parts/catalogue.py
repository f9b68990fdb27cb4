"""Reading the configuration, without waiting for models whose files take long to describe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from engine.config import Catalogue, load_catalogue, model_folders
from engine.errors import UserError
from engine.modelinfo.find import unread_files


def read_catalogue(
    config_dir: Path | None,
    model_paths: Sequence[Path],
    tell: Callable[[Sequence[str], Catalogue | None], object],
) -> Catalogue:
    """Read all configuration.

    Args:
        config_dir, model_paths: as for `load_catalogue`.
        tell: told which files of models are being described, with the configuration as it is
            without these models; and then that none is.

    Raises:
        ConfigError: it can't be used.
    """
    files: list[str] = []
    with suppress(UserError):  # whoever reads the rest says so
        files = unread_files(model_folders(config_dir), model_paths)
    if not files:
        return load_catalogue(config_dir, model_paths)
    rest = None
    with suppress(UserError):  # it may name a model that isn't known yet
        rest = load_catalogue(config_dir, model_paths, wait=False)
    tell(files, rest)
    try:
        return load_catalogue(config_dir, model_paths)
    finally:
        tell((), None)
