"""Our xLSTM-Large against its authors' package, with the same weights.

The package's kernels aren't open source, so it is a development dependency and nothing else.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from engine.models.builtin.xlstm import XLSTM, XLSTMSettings, feed_forward_width

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip(
        "xlstm.xlstm_large.model",
        exc_type=ImportError,
        reason="the PyPI package 'xlstm' is not installed",
    )
    from xlstm.xlstm_large.model import xLSTMLarge, xLSTMLargeConfig
    from xlstm.xlstm_large.utils import round_up_to_next_multiple_of

ITEMS, WIDTH = 41, 64
SIZES = [(64, 2, 1), (32, 4, 3)]


def theirs(dim: int, heads: int, layers: int, **settings: Any) -> Any:
    """The package's model with native torch kernels, weights redrawn so that all of them show."""
    torch.manual_seed(11)
    config = xLSTMLargeConfig(
        embedding_dim=dim,
        num_heads=heads,
        num_blocks=layers,
        vocab_size=ITEMS + 1,
        sequence_kernel="native_sequence__native",
        step_kernel="native",
        autocast_kernel_dtype="float32",
        chunkwise_kernel="chunkwise--native_autograd",
        return_last_states=True,  # in training its layer expects them, whatever is set
        **settings,
    )
    model = xLSTMLarge(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            torch.nn.init.normal_(parameter, std=0.3)
            if "norm" in name:
                parameter += 1
            elif "fgate_preact.bias" in name:
                parameter += 3
    return model.eval()


def ours(package: Any) -> XLSTM:
    """Our model with the weights of theirs: every name must match, and every shape."""
    config = package.config
    architecture = XLSTMSettings(
        dim=config.embedding_dim, heads=config.num_heads, layers=config.num_blocks
    )
    model = XLSTM(architecture, ITEMS, WIDTH)
    model.load_state_dict(package.state_dict(), strict=True)
    return model.eval()


def close(mine: torch.Tensor, reference: torch.Tensor, rtol: float = 1e-4) -> None:
    typical = float(reference.detach().abs().mean())
    torch.testing.assert_close(mine, reference, rtol=rtol, atol=rtol * typical)


@pytest.fixture
def histories() -> torch.Tensor:
    return torch.randint(1, ITEMS + 1, (3, WIDTH), generator=torch.Generator().manual_seed(2))


KERNELS = {
    "one-chunk": {"mode": "train", "chunk_size": WIDTH},
    "chunks": {"mode": "train", "chunk_size": 16},
    "inference": {"mode": "inference", "chunk_size": 16},
}


@pytest.mark.parametrize("kernels", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize(("dim", "heads", "layers"), SIZES)
def test_scores_of_the_whole_model(histories, dim, heads, layers, kernels) -> None:
    package = theirs(dim, heads, layers, **kernels)
    model = ours(package)
    scores, _ = package(histories)
    close(model.logits(model.hidden(histories)), scores)


@pytest.mark.parametrize(("dim", "heads", "layers"), SIZES)
def test_one_block_and_its_gradients(dim, heads, layers) -> None:
    package = theirs(dim, heads, layers, chunk_size=16)
    reference, block = package.backbone.blocks[0], ours(package).backbone.blocks[0]
    x = torch.randn(3, WIDTH, dim, generator=torch.Generator().manual_seed(4))
    first, second = x.clone().requires_grad_(), x.clone().requires_grad_()
    output, _ = reference(first)
    mine = block(second, torch.ones(3, WIDTH, dtype=torch.bool))
    close(mine, output)
    output.square().mean().backward()
    mine.square().mean().backward()
    close(second.grad, first.grad, rtol=1e-3)
    gradients = dict(reference.named_parameters())
    for name, parameter in block.named_parameters():
        scale = float(gradients[name].grad.abs().max())
        torch.testing.assert_close(
            parameter.grad, gradients[name].grad, rtol=1e-3, atol=1e-3 * scale
        )


def test_step_by_step(histories) -> None:
    """Their recurrent inference, state handed on, against ours."""
    package = theirs(32, 4, 2, **KERNELS["inference"])
    model = ours(package)
    state, memories = None, None
    for column in histories[:, :20].unbind(dim=1):
        scores, state = package(column[:, None], state)
        hidden, memories = model.step(column, memories)
        close(model.logits(hidden), scores[:, 0])


def test_names_of_a_published_checkpoint() -> None:
    names = set(theirs(32, 4, 2).state_dict())
    assert names == set(ours(theirs(32, 4, 2)).state_dict())
    block = "backbone.blocks.1."
    assert {
        "embedding.weight",
        "backbone.out_norm.weight",
        "lm_head.weight",
        *(f"{block}{norm}.weight" for norm in ("norm_mlstm", "norm_ffn")),
        *(f"{block}ffn.{name}.weight" for name in ("proj_up_gate", "proj_up", "proj_down")),
        *(
            f"{block}mlstm_layer.{name}.weight"
            for name in ("q", "k", "v", "ogate_preact", "multihead_norm", "out_proj")
        ),
        *(
            f"{block}mlstm_layer.{name}.{part}"
            for name in ("igate_preact", "fgate_preact")
            for part in ("weight", "bias")
        ),
    } <= names


def test_feed_forward_width_is_theirs() -> None:
    for dim in range(2, 8193):
        assert feed_forward_width(dim) == round_up_to_next_multiple_of(dim * 2.6667, 64)
