"""What a finished run of an earlier version lacks of its own results: from its ranks, its data and
its model, without training."""

from __future__ import annotations

import numpy as np
import torch

from engine.datasets.splitting.splits import SplitData, data_checksum
from engine.errors import DataError, UserError
from engine.models.load import sentence_of
from engine.results.cutoffs import Ranks
from engine.results.files import read_ranks, write_results
from engine.results.users import with_several
from engine.runfolder import RunFolder
from engine.training.ranking.lists import Recommended, recommended
from engine.training.setup import uses_bfloat16
from engine.worker.results import test_results
from engine.worker.trained import OpenedData, as_trained, made_with, open_data_of, with_model


def complete(folder: RunFolder, no_model: str = "") -> str:
    """Compute the results that a run of this version has when it ends, and write them to the run's
    folder: the ranks stay those of the run, what is recommended takes its model.

    Args:
        no_model: why the model may not be loaded, if it may not.

    Returns:
        Why there is nothing of what is recommended; empty if there is.

    Raises:
        DataError: the run has no ranks, its data isn't here or has changed, or the ranks are of
            other targets.
        OSError: the folder can't be written.
    """
    opened = open_data_of(folder)
    ranks = _ranks(folder, opened.split)
    device = as_trained(folder)
    lists: Recommended | None = None
    why = no_model
    if not no_model:
        try:
            lists = _lists(opened, folder, device)
        except UserError as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 -- whatever a module of the user's raises
            why = sentence_of(error)
    write_results(
        folder,
        test_results(opened.split, ranks, lists),
        protocol=opened.spec.protocol,
        checksum=data_checksum(opened.data.interactions, opened.spec.source),
        made_with=made_with(opened.spec, device),
    )
    return why


def _ranks(folder: RunFolder, split: SplitData) -> Ranks:
    """Read a run's ranks, which must be of the test targets of its data."""
    try:
        ranks, users = read_ranks(folder)
    except FileNotFoundError:
        raise DataError("its folder has no ranks of the test targets.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"its ranks of the test targets can't be read: {error}.") from None
    own = split.users("test")
    told = ranks.shape[1]
    same = not with_several(own) if users is None else np.array_equal(users, own)
    if told != len(own) or not same:
        raise DataError(
            f"its ranks are of {told:,} targets, and its data has {len(own):,} here, or those of "
            "other users: they don't belong together."
        )
    return ranks


def _lists(opened: OpenedData, folder: RunFolder, device: torch.device) -> Recommended:
    trained, training = with_model(opened, folder), opened.spec.training
    return recommended(
        trained.model.to(device),
        opened.split,
        device,
        training.eval_batch_size,
        bfloat16=uses_bfloat16(training, device),
    )
