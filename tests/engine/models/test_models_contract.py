"""What every model owes training and evaluation, whatever is inside it."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.base import SequenceModel

CAUSAL = ["sasrec-pre", "sasrec-post", "sasrec-rope", "sasrec-alibi", "xlstm"]
BIDIRECTIONAL = ["bert4rec-pre", "bert4rec-post", "bert4rec-rope", "bert4rec-alibi"]
ALL = CAUSAL + BIDIRECTIONAL


def changed(items: Tensor, column: int) -> Tensor:
    """The same histories with another item at ``column`` where there is one."""
    other = items.clone()
    other[:, column] = torch.where(items[:, column] > 0, 1 + items[:, column] % 37, 0)
    return other


def loss(model: SequenceModel, items: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(model.logits(model.hidden(items)).flatten(0, 1).float(), targets)


@pytest.mark.parametrize("name", ALL)
def test_shapes(make, histories: Tensor, name: str) -> None:
    model = make(name)
    rows, width = histories.shape
    hidden = model.hidden(histories)
    assert hidden.shape == (rows, width, 16)
    assert model.logits(hidden).shape == (rows, width, model.num_items + 1)
    assert model.logits(hidden[0, 0]).shape == (model.num_items + 1,)
    assert model.query(histories).shape == (rows, 16)
    assert model.causal == (name in CAUSAL)


@pytest.mark.parametrize("name", CAUSAL)
@pytest.mark.parametrize("column", [1, 6, 11])
def test_a_later_item_moves_no_earlier_output(make, histories, name: str, column: int) -> None:
    model = make(name)
    before, after = model.hidden(histories), model.hidden(changed(histories, column))
    assert torch.equal(before[:, :column], after[:, :column])
    moved = (before - after).abs().amax(dim=-1)[0]
    assert (moved[column:] > 1e-6).all(), "every later output depends on the item"


@pytest.mark.parametrize("name", BIDIRECTIONAL)
@pytest.mark.parametrize("column", [1, 6, 11])
def test_bert4rec_sees_both_sides(make, histories, name: str, column: int) -> None:
    model = make(name)
    moved = (model.hidden(histories) - model.hidden(changed(histories, column))).abs()
    assert (moved.amax(dim=-1)[0] > 1e-6).all()


@pytest.mark.parametrize("name", ALL)
def test_what_stands_at_padding_reaches_no_item(make, histories: Tensor, name: str) -> None:
    model = make(name)
    before = model.hidden(histories)
    with torch.no_grad():
        embeddings = next(module for module in model.modules() if isinstance(module, nn.Embedding))
        embeddings.weight[0] *= -3
    after = model.hidden(histories)
    real = histories > 0
    torch.testing.assert_close(before[real], after[real], rtol=1e-9, atol=1e-12)
    assert not torch.allclose(before[~real], after[~real])


@pytest.mark.parametrize("name", ALL)
def test_more_padding_changes_nothing(make, histories: Tensor, name: str) -> None:
    model = make(name)
    for padding, row in ((1, 1), (5, 2), (11, 3)):
        short = model.hidden(histories[row : row + 1, padding:])
        long = model.hidden(histories[row : row + 1])[:, padding:]
        torch.testing.assert_close(short, long, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_finite_with_rows_of_padding(make, histories, name: str, dtype: torch.dtype) -> None:
    model = make(name, torch.float32).train()
    targets = torch.randint(1, model.num_items + 1, (histories.numel(),))
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        value = loss(model, histories, targets)
    value.backward()
    assert torch.isfinite(value)
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", ALL)
def test_only_padding_has_finite_gradients(make, name: str) -> None:
    model = make(name, torch.float32).train()
    empty = torch.zeros(2, model.length, dtype=torch.long)
    loss(model, empty, torch.ones(empty.numel(), dtype=torch.long)).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert torch.isfinite(model.query(empty)).all()


@pytest.mark.parametrize("name", CAUSAL)
def test_the_start_of_a_history_is_learned(make, name: str) -> None:
    """A target before the first item teaches something: not all starts are alike forever."""
    model = make(name, torch.float32)
    empty = torch.zeros(1, model.length, dtype=torch.long)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    targets = torch.full((model.length,), 5)
    first = loss(model, empty, targets)
    for _ in range(20):
        optimiser.zero_grad()
        loss(model, empty, targets).backward()
        optimiser.step()
    assert loss(model, empty, targets) < 0.5 * first


@pytest.mark.parametrize("name", ALL)
def test_autocast_is_close_to_float32(make, histories: Tensor, name: str) -> None:
    model = make(name, torch.float32)
    full = model.hidden(histories)
    with torch.autocast("cpu", torch.bfloat16):
        half = model.hidden(histories).float()
    assert torch.nn.functional.cosine_similarity(full, half, dim=-1).min() > 0.98


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_gives_the_same_model_and_dropout(make, histories, name: str) -> None:
    def once() -> tuple[Tensor, Tensor]:
        torch.manual_seed(5)
        model = make(name, torch.float32).train()
        fresh = copy.deepcopy(model)
        fresh.train()
        torch.manual_seed(6)
        return fresh.hidden(histories), model.eval().hidden(histories)

    first, second = once(), once()
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], first[1]), "dropout does nothing"


@pytest.mark.parametrize("name", ["sasrec-pre", "sasrec-post", "bert4rec-pre", "bert4rec-post"])
def test_too_long_a_history_says_so(make, name: str) -> None:
    model = make(name)
    with pytest.raises(ValueError, match="most recent items"):
        model.hidden(torch.ones(1, model.length + 2, dtype=torch.long))


@pytest.mark.parametrize("name", BIDIRECTIONAL)
def test_query_is_the_mask_after_the_last_item(make, histories: Tensor, name: str) -> None:
    """A training window of L + 1 whose last item is masked gives what `query` gives."""
    model = make(name)
    mask = torch.full((len(histories), 1), model.mask_token)
    window = torch.cat([histories, mask], dim=1)
    torch.testing.assert_close(model.query(histories), model.hidden(window)[:, -1])
    shorter = model.query(histories[2:3, 5:])
    torch.testing.assert_close(model.query(histories)[2:3], shorter)


@pytest.mark.parametrize("name", CAUSAL)
def test_query_is_the_last_position(make, histories: Tensor, name: str) -> None:
    model = make(name)
    torch.testing.assert_close(model.query(histories), model.hidden(histories)[:, -1])
