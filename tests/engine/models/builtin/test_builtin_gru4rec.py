"""GRU4Rec against its formulas, written out step by step, and the drawing of its negatives."""

from __future__ import annotations

import math

import pytest
import torch
from scattered import scatter
from torch import Tensor

from engine.models.base import TrainingHistories
from engine.models.builtin.gru4rec import MODEL, GRU4Rec

ITEMS, LENGTH = 37, 12


def scattered(**settings: float | str) -> GRU4Rec:
    chosen = {"dim": 16, "samples": 40} | settings
    model = MODEL.build(chosen, ITEMS, LENGTH).double().eval()
    assert isinstance(model, GRU4Rec)
    scatter(model, 0.3)
    return model


def counted(model: GRU4Rec, counts: list[int]) -> GRU4Rec:
    """Prepare the model with items that occur so many times."""
    items = torch.arange(1, ITEMS + 1, dtype=torch.int32).repeat_interleave(torch.tensor(counts))
    model.prepare(TrainingHistories(items, torch.tensor([0, len(items)]), None))
    return model


def test_the_states_are_their_formulas(histories: Tensor) -> None:
    """Cho et al. 2014, the reset gate after the product, as in the authors' code for PyTorch."""
    model = scattered(layers=2)
    for row in histories[:4]:
        states = [torch.zeros(16, dtype=torch.float64) for _ in range(2)]
        expected = []
        for item in row[row > 0]:
            x = model.items.weight[item]
            for number, layer in enumerate(model.layers):
                given = (layer.weight_ih_l0 @ x + layer.bias_ih_l0).split(16)
                kept = (layer.weight_hh_l0 @ states[number] + layer.bias_hh_l0).split(16)
                reset, update = (torch.sigmoid(given[i] + kept[i]) for i in (0, 1))
                new = torch.tanh(given[2] + reset * kept[2])
                x = states[number] = (1 - update) * new + update * states[number]
            expected.append(x)
        actual = model.hidden(row[None])[0, LENGTH - len(expected) :]
        torch.testing.assert_close(actual, torch.stack(expected), rtol=1e-9, atol=1e-12)
        logits = model.output_layer().logits(actual[-1])
        torch.testing.assert_close(logits[5], model.items.weight[5] @ expected[-1] + model.bias[5])


def test_there_is_no_state_before_the_first_item(histories: Tensor) -> None:
    assert not scattered().hidden(histories)[histories == 0].any()


@pytest.mark.parametrize("elu", [0.0, 0.5])
def test_bpr_max_is_its_formula(elu: float) -> None:
    """Hidasi & Karatzoglou 2018, eq. 10, with ELU as in their code."""
    model = scattered(ranking_loss="bpr-max", score_penalty=1.85, elu=elu)
    states = torch.randn(9, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    targets, negatives = torch.arange(1, 10), torch.tensor([3, 3, 20, 21, 36, 37])

    def score(state: Tensor, item: int) -> float:
        value = float((model.items.weight[item] @ state + model.bias[item]).detach())
        return elu * math.expm1(value) if elu and value < 0 else value

    for loss, state, target in zip(
        model.losses(states, targets, negatives), states, targets.tolist(), strict=True
    ):
        own = score(state, target)
        others = [score(state, item) for item in negatives.tolist() if item != target]
        shares = [math.exp(other) / sum(map(math.exp, others)) for other in others]
        pairs = list(zip(shares, others, strict=True))
        better = sum(share / (1 + math.exp(other - own)) for share, other in pairs)
        penalty = sum(share * other**2 for share, other in pairs)
        assert float(loss.detach()) == pytest.approx(-math.log(better) + 1.85 * penalty)


def test_cross_entropy_over_all_items_is_the_full_one() -> None:
    model = scattered(ranking_loss="cross-entropy", correction=0.0)
    states = torch.randn(9, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    targets, negatives = torch.arange(1, 10), torch.arange(1, ITEMS + 1)
    logits = model.output_layer().logits(states)[:, 1:]
    expected = torch.nn.functional.cross_entropy(logits, targets - 1, reduction="none")
    torch.testing.assert_close(model.losses(states, targets, negatives), expected)


def test_cross_entropy_subtracts_the_logarithm_of_how_often_an_item_is_drawn() -> None:
    counts = [1 + 3 * item for item in range(ITEMS)]
    model = counted(
        scattered(ranking_loss="cross-entropy", sample_alpha=0.5, correction=0.8), counts
    )
    states = torch.randn(9, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    targets, negatives = torch.arange(1, 10), torch.tensor([20, 21, 37])
    logits = model.output_layer().logits(states)[:, 1:]
    logits = logits - 0.8 * 0.5 * torch.tensor(counts, dtype=torch.float64).log()
    for row, loss in enumerate(model.losses(states, targets, negatives)):
        kept = logits[row, torch.cat([targets[row : row + 1], negatives]) - 1]
        torch.testing.assert_close(loss, kept.logsumexp(0) - kept[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_items_are_drawn_by_popularity_to_the_power_alpha(
    monkeypatch: pytest.MonkeyPatch, alpha: float
) -> None:
    counts = [0, 1] + [5 * item for item in range(1, ITEMS - 1)]
    model = counted(scattered(sample_alpha=alpha, samples=200_000), counts)
    drawn: list[Tensor] = []

    def noted(states: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        drawn.append(negatives)
        return torch.zeros(len(targets)) * states.sum()

    monkeypatch.setattr(model, "losses", noted)
    torch.manual_seed(3)
    model.loss(torch.randint(1, ITEMS + 1, (2, LENGTH + 1)))
    weights = torch.tensor(counts, dtype=torch.float64) ** alpha
    expected = weights / weights.sum() * 200_000
    found = drawn[0].bincount(minlength=ITEMS + 1)[1:]
    assert drawn[0].min() >= 1
    likely = expected > 0
    assert not found[~likely].any()
    chi_square = ((found - expected).square() / expected)[likely].sum()
    assert chi_square < 80  # 36 degrees of freedom: exceeded once in 30,000 seeds


def test_the_loss_is_of_every_item_but_the_first_and_draws_from_the_global_generator(
    histories: Tensor,
) -> None:
    model = scattered()
    items = torch.cat([histories, torch.arange(1, 6)[:, None]], dim=1)

    def once(items: Tensor, seed: int) -> tuple[float, int]:
        torch.manual_seed(seed)
        loss, targets = model.loss(items)
        return float(loss.detach()), int(targets)

    assert once(items, 1)[1] == int((histories > 0).sum())
    assert once(items, 1) == once(items, 1)
    assert once(items, 1)[0] != once(items, 2)[0]
    padded = torch.cat([items, torch.zeros_like(items)])
    assert once(padded, 1) == pytest.approx(once(items, 1))
    parts = [once(items[row : row + 1], 1) for row in range(5)]
    assert sum(part[0] for part in parts) == pytest.approx(once(items, 1)[0])
