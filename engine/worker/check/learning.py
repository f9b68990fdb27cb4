"""Checks that train: reproduces, resumes, learns, targets, order, floor."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.analysis.pairs.significance import Difference, difference, per_user
from engine.asking.modelcheck import Verdict
from engine.datasets.optimum import bayes_optimum
from engine.judge.judgement import OrderLoss
from engine.judge.order import fit_in_order, ranks_without_order
from engine.models.base import Model, SequenceModel, TimedModel
from engine.models.load import load_definition
from engine.spec import TOP_K, RunSpec, amended
from engine.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from engine.training.loop import Outcome, train
from engine.training.ranking.evaluation import evaluation_set, flat_histories, ranks
from engine.training.ranking.scoring import scores
from engine.worker.check.outputs import TOLERANCE, in_deviations
from engine.worker.check.subject import (
    CPU,
    FEW_USERS,
    Silent,
    Subject,
    fitted,
    made_interactions,
    made_spec,
)

BATCH = 512
"""Users that are ranked for at once."""

FLOORS = ("markov", "item-knn", "popularity")
"""The fitted models that a model is held against."""

REPEATS = 0.1
"""Share of next items that are the last one, above which recommending that one isn't a fault."""

MISPLACED = {
    "last": (
        "The model predicts its own input.",
        "The state at a position is trained to predict the item after it, which isn't its input: "
        "don't shift the items in hidden; in a loss of your own, the target of items[:, i] is "
        "items[:, i + 1].",
    ),
    "after next": (
        "The model predicts one item too far.",
        "Targets are shifted once too often: in a loss of your own, the target of items[:, i] is "
        "items[:, i + 1].",
    ),
}
"""What is wrong, and what to do, if a model recommends another item than the next one."""

LEAST_LOSS = 0.05
"""Share of NDCG@10 that a model which uses order loses at least, without order."""

Ranks = NDArray[np.int32]


def reproduces(subject: Subject) -> Verdict:
    """Train twice with one seed, with other random numbers drawn in between: on the CPU, and where
    there is a GPU, on that too."""
    spec = _few(subject, epochs=3)
    devices = [CPU, torch.device("cuda")] if torch.cuda.is_available() else [CPU]
    for device in devices:
        first, second = (_train(subject, spec, device) for _ in range(2))
        if (problem := _apart(first, second)) is not None:
            return _irreproducible(problem, device)
    where = ", on the CPU and on a GPU" if len(devices) > 1 else ""
    return Verdict(
        "reproduces", True, f"Trained twice with one seed{where}, the result is the same."
    )


def _irreproducible(problem: str, device: torch.device) -> Verdict:
    if device == CPU:
        return Verdict(
            "reproduces",
            False,
            f"Trained twice with one seed, {problem}.",
            "Draw random numbers by torch only, from its global generator, and keep nothing "
            "between runs: no random or numpy, no generator of your own, no order of a set.",
        )
    return Verdict(
        "reproduces",
        False,
        f"Trained twice with one seed on a GPU, {problem}.",
        "A GPU adds up numbers in no fixed order where many meet at one place: in scatter_add, "
        "index_add, bincount with weights, and the gradient of an embedding that has few rows and "
        "is looked up often.",
    )


def resumes(subject: Subject) -> Verdict:
    """Train at once, and in two parts with a checkpoint between."""
    if subject.definition.kind == "fitted":
        return Verdict("resumes", None, "Nothing is trained: a fit is repeated.")
    spec = _few(subject, epochs=4)
    half = amended(spec, {"epochs": 2})
    whole = _train(subject, spec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint-1.pt"

        def save(checkpoint: Checkpoint) -> None:
            save_checkpoint(path, checkpoint)

        _train(subject, half, save=save)
        resumed = _train(subject, spec, resume=load_checkpoint(path, half.fingerprint()))
    if (problem := _apart(whole, resumed)) is None:
        return Verdict("resumes", True, "Interrupted and resumed, the result is the same.")
    return Verdict(
        "resumes",
        False,
        f"Interrupted and resumed, {problem}.",
        "Keep all that changes in training in parameters or buffers (register_buffer): a counter "
        "or a running value in a plain attribute isn't in a checkpoint.",
    )


def _few(subject: Subject, epochs: int) -> RunSpec:
    kind = subject.definition.kind
    return made_spec(subject.spec, kind, FEW_USERS, epochs=epochs, patience=epochs)


def _train(
    subject: Subject, spec: RunSpec, device: torch.device = CPU, **arguments: Any
) -> Outcome:
    """Train, and let the global generators be elsewhere afterwards."""
    data = made_interactions(spec)
    outcome = train(spec, subject.definition, data, device, Silent(), **arguments)
    torch.rand(17)
    random.random()
    np.random.rand()
    return outcome


def _apart(a: Outcome, b: Outcome) -> str | None:
    """Say in what two outcomes differ; ``None`` if in nothing."""
    states = (a.best.model, b.best.model)
    differ = [name for name in states[0] if not torch.equal(states[0][name], states[1][name])]
    if differ:
        return f"{differ[0]} differs"
    if not torch.equal(a.test_ranks, b.test_ranks):
        return "the test ranks differ"
    return None


def learns(subject: Subject) -> Verdict:
    """Hold what the model has learnt of made histories against the best possible, and against
    popularity and the counts of what follows the last item."""
    optimum = bayes_optimum(subject.spec.source, "test").ndcg
    split, length = subject.split, subject.length
    own = _test_ranks(subject, subject.trained)
    first_order = {"window": 1, "decay": 1.0, "power": 0.0}
    others = {
        "popularity": _test_ranks(subject, fitted(load_definition("popularity"), split, length)),
        "first-order counts": _test_ranks(
            subject, fitted(load_definition("markov"), split, length, **first_order)
        ),
    }
    users = split.users("test")
    share = _ndcg(own, users) / optimum
    found = f"Reaches {share:.0%} of the best possible NDCG@10 ({optimum:.3f}) of made histories"
    shares = {name: _ndcg(ranked, users) / optimum for name, ranked in others.items()}
    said = ", ".join(f"{name} {each:.0%}" for name, each in shares.items())
    values = {"share": share} | shares
    if subject.definition.kind == "fitted":
        return Verdict("learns", None, f"{found}; {said}.", values=values)
    beaten = [name for name, ranked in others.items() if _paired(own, ranked, users).low > 0]
    if len(beaten) == len(others):
        return Verdict("learns", True, f"{found}; {said}.", values=values)
    if "popularity" in beaten:
        advice = "It learns, but slowly: some models take longer than this check."
        return Verdict("learns", None, f"{found}; {said}.", advice, values)
    return Verdict(
        "learns",
        False,
        f"{found}; {said}.",
        "Every second step back counts twice as much as the last there, which a model of "
        "sequences learns in seconds: look at the other verdicts first, then at the learning "
        "rate, and whether the loss falls at all.",
        values,
    )


@torch.no_grad()
def targets(subject: Subject) -> Verdict:
    """See whether the top items hold the next one, rather than the last one or the one after."""
    model, split = subject.trained.eval(), subject.split
    own, part = split.interactions, split.valid
    some = np.linspace(0, len(part.users) - 1, min(len(part.users), 2000)).astype(np.int64)
    users, ends = part.users[some], part.ends[some]
    flat = flat_histories(own, CPU, timed=isinstance(model, TimedModel))
    data = evaluation_set(split, "valid", subject.length, flat)
    histories, times = data.inputs(torch.from_numpy(some))
    if isinstance(model, SequenceModel) and (problem := _other_position(model, histories, times)):
        return problem
    fits = subject.definition.kind == "fitted"
    if not fits and (problem := _last_unseen(model, histories, times)):
        return problem
    found = scores(model, histories, times)[:, 1:]
    top = 1 + found.topk(min(TOP_K, subject.num_items)).indices

    def hit(wanted: NDArray[np.int32]) -> NDArray[np.float64]:
        items = torch.from_numpy(wanted).long()[:, None]
        return (top == items).any(dim=1).double().numpy()

    following = own.items[ends]
    last = histories[:, -1].int().numpy()
    hits = {"next": hit(following), "last": hit(last)}
    after = ends + 1 < own.offsets[users + 1]
    if after.any():
        then = np.where(after, own.items[np.minimum(ends + 1, len(own.items) - 1)], 0)
        hits["after next"] = hit(then.astype(np.int32))
    values = {name: float(each.mean()) for name, each in hits.items()}
    told = {"next": "the next item", "last": "the last item", "after next": "the one after next"}
    said = ", ".join(f"{told[name]} for {value:.0%}" for name, value in values.items())
    sentence = f"Among the ten best for {len(users):,} histories: {said}."
    if fits:
        return Verdict("targets", None, sentence, values=values)
    popular = np.argsort(-np.bincount(own.items, minlength=subject.num_items + 1)[1:])[:TOP_K] + 1
    learnt = _above(hits["next"], np.isin(following, popular).astype(np.float64))
    again = float((following == last).mean())
    if again >= REPEATS:
        del hits["last"]
    most = max(hits, key=lambda name: values[name])
    if learnt or most == "next" or not _above(hits[most], hits["next"]):
        return Verdict("targets", True, sentence, values=values)
    fault, advice = MISPLACED[most]
    return Verdict("targets", False, f"{fault} {sentence}", advice, values)


def _other_position(
    model: SequenceModel, items: torch.Tensor, times: torch.Tensor | None
) -> Verdict | None:
    """Say that the state which evaluation asks for isn't the last of all; ``None`` if it is."""
    given = (times,) if isinstance(model, TimedModel) else ()
    every, last = model.hidden(items, *given), model.hidden(items, *given, last_only=True)
    if last.shape[1] == 1 and torch.allclose(every[:, -1], last[:, 0], rtol=1e-3, atol=1e-4):
        return None
    return Verdict(
        "targets",
        False,
        "With last_only, hidden doesn't return the last position of what it returns without.",
        "Training uses every position, evaluation the last: return states[:, -1:] for last_only.",
    )


def _last_unseen(model: Model, items: torch.Tensor, times: torch.Tensor | None) -> Verdict | None:
    """Say that the last item of histories doesn't matter; ``None`` if it does."""
    items, times = items[:FEW_USERS], None if times is None else times[:FEW_USERS]
    other = items.clone()
    other[:, -1] = 1 + items[:, -1] % model.num_items
    before, after = scores(model, items, times), scores(model, other, times)
    if in_deviations(before[:, 1:], after[:, 1:]) > TOLERANCE:
        return None
    return Verdict(
        "targets",
        False,
        "Another last item of a history changes no score.",
        "The state at a position is to hold the item there, and predicts the one after it: don't "
        "shift items or states to the right.",
    )


def order(subject: Subject) -> Verdict:
    """Shuffle the items that the model sees before each test item."""
    both = ranks_without_order(subject.trained, subject.split, subject.length, CPU)
    loss = OrderLoss.between(both[0][0], both[1][0], "ndcg", subject.split.users("test"))
    share, lost = loss.share, loss.difference
    if share is None:
        return Verdict("order", None, "NDCG@10 is 0: there is nothing to lose.")
    way = "lower" if share >= 0 else "higher"
    found = f"Without the order of histories, NDCG@10 is {abs(share):.0%} {way}."
    values = {"share": share, "low": lost.low, "high": lost.high}
    if lost.low > 0 and share >= LEAST_LOSS:
        return Verdict("order", True, found, values=values)
    fits = subject.definition.kind == "fitted"
    return Verdict(
        "order",
        None if fits else False,
        found,
        "The model treats a history as a set: give it positions, a recurrence or an order of "
        "masks; on data of your own, `seqbench data judge` says whether order matters there.",
        values,
    )


def floor(subject: Subject) -> Verdict:
    """Compare with the best of a few fitted models, over the test users."""
    if subject.definition.kind == "fitted":
        return Verdict("floor", None, "A fitted model is what others must beat.")
    own = _test_ranks(subject, subject.trained)
    fits = {name: fit_in_order(name, subject.split, subject.length) for name in FLOORS}
    best = max(fits, key=lambda name: fits[name].valid)
    found = {name: each.ranks for name, each in fits.items()}
    title = load_definition(best).title
    users = subject.split.users("test")
    less = _paired(own, found[best], users)
    ndcg, counts = _ndcg(own, users), _ndcg(found[best], users)
    values = {"own": ndcg, "floor": counts, "low": less.low, "high": less.high}
    sentence = (
        f"NDCG@10 is {ndcg:.3f}, that of {title} {counts:.3f}; the difference "
        f"is {less.mean:+.3f} [{less.low:+.3f}, {less.high:+.3f}] over {less.users:,} users."
    )
    if less.low > 0:
        return Verdict("floor", True, sentence, values=values)
    if subject.weights is None:
        advice = "After a minute of training that says little: check a finished run."
        return Verdict("floor", None, sentence, advice, values)
    below = less.high < 0
    counted = "better" if below else "as well"
    advice = f"Counts do {counted}: try other settings, or longer training, before you rely on it."
    return Verdict("floor", False if below else None, sentence, advice, values)


def _test_ranks(subject: Subject, model: Model) -> Ranks:
    timed = isinstance(model, TimedModel)
    flat = flat_histories(subject.split.interactions, CPU, timed=timed)
    data = evaluation_set(subject.split, "test", subject.length, flat)
    found: Ranks = ranks(model, data, BATCH).numpy()
    return found


def _ndcg(ranked: Ranks, users: NDArray[np.int64]) -> float:
    return float(per_user(ranked[0], "ndcg", users).mean())


def _paired(a: Ranks, b: Ranks, users: NDArray[np.int64]) -> Difference:
    return difference(per_user(a[:1], "ndcg", users), per_user(b[:1], "ndcg", users))


def _above(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return difference(a[None], b[None]).low > 0
