"""RMSNorm: Zhang & Sennrich, Root Mean Square Layer Normalization, NeurIPS 2019, eq. 4."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RMSNorm(nn.RMSNorm):
    """torch's RMSNorm, (…, d) → (…, d), in half the time on a CPU, where torch has no kernel.

    Args:
        narrow: return autocast's type. For a norm before matrix products, which would round its
            output to that type anyway.
    """

    def __init__(self, dim: int, eps: float, *, narrow: bool) -> None:
        super().__init__(dim, eps=eps)
        self.narrow = narrow

    def forward(self, x: Tensor) -> Tensor:
        kind = x.device.type
        if kind != "cpu":
            return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
        out: Tensor = _Normalise.apply(  # type: ignore[no-untyped-call]
            x, self.weight, self.eps, dtype if self.narrow else x.dtype
        )
        return out


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
        mean_square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square() / x.shape[-1]
        scale = (mean_square + eps).rsqrt()
        normal = x * scale
        ctx.save_for_backward(normal, scale, weight)
        return torch.mul(normal, weight, out=torch.empty_like(x, dtype=dtype))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        normal, scale, weight = ctx.saved_tensors
        product = grad * normal
        along = (product @ weight)[..., None] / -len(weight)
        x_grad = (grad * weight).addcmul_(normal, along).mul_(scale)
        return x_grad, product.flatten(0, -2).sum(dim=0), None, None
