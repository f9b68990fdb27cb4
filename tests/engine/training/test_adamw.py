"""The optimizer's updates are torch's, and making it loads no compiler."""

from __future__ import annotations

import subprocess
import sys

import torch

from engine.training.adamw import AdamW

UPDATES = """
import sys, torch
from engine.training.adamw import AdamW
layer = torch.nn.Linear(3, 2)
optimizer = AdamW(layer.parameters(), fused=True)
for _ in range(2):
    layer(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
print(sorted({"torch._dynamo", "sympy"} & set(sys.modules)))
"""


def test_the_updates_are_those_of_torch() -> None:
    def trained(kind: type[torch.optim.AdamW]) -> tuple[list[torch.Tensor], dict[str, object]]:
        torch.manual_seed(7)
        layer = torch.nn.Linear(5, 3)
        optimizer = kind(layer.parameters(), lr=0.1, weight_decay=0.2, fused=True)
        for _ in range(4):
            layer(torch.rand(6, 5)).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()
        again = kind(layer.parameters(), lr=0.5)
        again.load_state_dict(optimizer.state_dict())
        layer(torch.rand(6, 5)).sum().backward()
        again.step()
        return [weight.detach() for weight in layer.parameters()], again.state_dict()

    ours, torchs = trained(AdamW), trained(torch.optim.AdamW)
    torch.testing.assert_close(ours, torchs, rtol=0, atol=0)


def test_no_compiler_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UPDATES], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
