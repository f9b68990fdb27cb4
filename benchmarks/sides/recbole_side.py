"""RecBole's trainer, an epoch at a time. Runs in RecBole's own environment."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import recbole
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed

from benchmarks.sides.pipe import (
    Closed,
    Measured,
    Pipe,
    Ready,
    peak_mib,
    split_digest,
)

MODELS = {"sasrec": "SASRec", "bert4rec": "BERT4Rec"}


class Training:
    """A model, its data and RecBole's trainer."""

    def __init__(self, settings: dict[str, Any]) -> None:
        config = Config(
            model=MODELS[settings["model"]],
            dataset=settings["dataset"],
            config_dict=recbole_settings(settings),
        )
        init_seed(config["seed"], config["reproducibility"])
        self.dataset = create_dataset(config)
        self.train_data, self.valid_data, _ = data_preparation(config, self.dataset)
        self.model = get_model(config["model"])(config, self.train_data.dataset)
        self.trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, self.model)
        self.trainer.eval_collector.data_collect(self.train_data)
        self._epoch = 0

    def epoch(self) -> Measured:
        """An epoch and its evaluation."""
        started = time.perf_counter()
        self.trainer._train_epoch(self.train_data, self._epoch)
        trained = time.perf_counter()
        self._epoch += 1
        _, metrics = self.trainer._valid_epoch(self.valid_data)
        return Measured(
            updates=len(self.train_data),
            train_seconds=trained - started,
            peak_mib=peak_mib(),
            evaluation_seconds=time.perf_counter() - trained,
            valid_recall=float(metrics["recall@10"]),
        )

    def ready(self) -> Ready:
        return Ready(
            library=f"RecBole {recbole.__version__}",
            torch=torch.__version__,
            dtype="float32",
            parameters=sum(weights.numel() for weights in self.model.parameters()),
            updates_per_epoch=len(self.train_data),
            most_epochs=self.trainer.epochs,
            split=split_digest(self._held_out()),
        )

    def _held_out(self) -> list[tuple[int, int]]:
        features = self.valid_data.dataset.inter_feat
        users, items = (
            [int(token) for token in self.dataset.id2token(field, features[field].numpy())]
            for field in (self.dataset.uid_field, self.dataset.iid_field)
        )
        return list(zip(users, items, strict=True))


def recbole_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """What is the same on all sides; the rest are RecBole's defaults."""
    return {
        "data_path": settings["folder"],
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "use_gpu": False,
        "gpu_id": "",
        "seed": settings["seed"],
        "state": "WARNING",
        "show_progress": False,
        "epochs": 100_000,
        "MAX_ITEM_LIST_LENGTH": settings["length"],
        "hidden_size": settings["dim"],
        "inner_size": 4 * settings["dim"],
        "n_layers": settings["layers"],
        "n_heads": settings["heads"],
        "hidden_dropout_prob": settings["dropout"],
        "attn_dropout_prob": settings["dropout"],
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "learning_rate": settings["lr"],
        "train_batch_size": settings["batch_size"],
        "eval_batch_size": settings["eval_batch_size"],
        "eval_args": {
            "split": {"LS": "valid_and_test"},
            "order": "TO",
            "group_by": "user",
            "mode": "full",
        },
        "metrics": ["Recall", "NDCG"],
        "topk": [10],
        "valid_metric": "NDCG@10",
        "metric_decimal_place": 6,  # by itself it rounds to 4
    }


def main() -> None:
    pipe = Pipe()
    settings = pipe.settings()
    torch.set_num_threads(settings["threads"])
    training = Training(settings)
    pipe.send(training.ready())
    while True:
        pipe.wait()
        pipe.send(training.epoch())


if __name__ == "__main__":
    with suppress(Closed):
        main()
