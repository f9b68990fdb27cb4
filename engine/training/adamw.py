"""The optimizer: AdamW (Loshchilov & Hutter 2019), ready without torch's compiler."""

from __future__ import annotations

from inspect import unwrap

import torch
from torch.optim import Optimizer


class AdamW(torch.optim.AdamW):
    """`torch.optim.AdamW` without what hides its methods from a compiler that traces them.

    That loads the compiler and sympy when the first optimizer is made, which takes longer than a
    short run, and nothing here compiles an optimizer. The updates are the same.
    """

    add_param_group = unwrap(Optimizer.add_param_group)
    state_dict = unwrap(Optimizer.state_dict)
    load_state_dict = unwrap(Optimizer.load_state_dict)
    zero_grad = unwrap(Optimizer.zero_grad)
    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))
