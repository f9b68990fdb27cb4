"""Where the time of an update goes, by the kind of work, from torch's profiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.autograd.profiler import profile, record_function

from benchmarks.common import synchronize

PRODUCTS = "matrix products"
LOSS = "softmax, cross-entropy"
MEMORY = "mLSTM memory, without products"
NORMS = "norms"
OPTIMIZER = "optimizer"
CLIPPING = "gradient clipping"
RANDOM = "random numbers, dropout"
ACTIVATIONS = "activations"
GATHERS = "gathers, scatters, masks"
COPIES = "copies, casts, filling"
ARITHMETIC = "sums, other arithmetic"
OVERHEAD = "views, allocation, autograd, Python"

SCOPES = {
    "_InParts": LOSS,
    "_Within": MEMORY,
    "_Normalise": NORMS,
    "Optimizer.": OPTIMIZER,
}
"""Whatever these functions call belongs to them, but for matrix products."""

OPERATORS = {
    PRODUCTS: "mm addmm bmm baddbmm linear matmul _scaled_dot_product",
    LOSS: "_log_softmax log_softmax _softmax softmax nll_loss logsumexp",
    NORMS: "native_layer_norm layer_norm rms_norm _fused_rms_norm rsqrt",
    OPTIMIZER: "_fused_adamw_",
    CLIPPING: "linalg_vector_norm _foreach_norm _foreach_mul_ clamp",
    RANDOM: "bernoulli_ native_dropout dropout rand randint uniform_ random_ lt div_ ge",
    ACTIVATIONS: "gelu silu sigmoid tanh log_sigmoid softplus",
    GATHERS: "embedding index index_select index_put_ index_add_ gather scatter_add_ nonzero where "
    "masked_fill masked_fill_ bitwise_and bitwise_or bitwise_not tril",
    COPIES: "copy_ _to_copy to clone contiguous cat stack fill_ zero_ constant_pad_nd flip",
    ARITHMETIC: "add add_ sub sub_ rsub mul mul_ div sum mean neg exp exp_ log reciprocal pow sqrt "
    "maximum minimum abs cumsum cummax amax addmv mv addcmul_ eq ne gt le clamp_ clamp_min_",
}
"""Names of torch's operators, with which those of their forward and backward kernels begin."""

ORDER = (*OPERATORS, MEMORY, OVERHEAD)
ENDINGS = ("_", "_backward", "_backward_data", "_forward", "_dense_backward", "_for_cpu")


def group_of(name: str, callers: list[str]) -> str:
    """The kind of work of an operator.

    Args:
        callers: what called it, innermost first.
    """
    operator = name.removeprefix("aten::")
    if _matches(operator, PRODUCTS):
        return PRODUCTS
    for caller in (name, *callers):
        for scope, group in SCOPES.items():
            if scope in caller:
                return group
    return next((group for group in OPERATORS if _matches(operator, group)), OVERHEAD)


def _matches(operator: str, group: str) -> bool:
    names = OPERATORS[group].split()
    return any(
        operator == known
        or (operator.startswith(known) and operator.removeprefix(known) in ENDINGS)
        or (known == "_scaled_dot_product" and known in operator)
        for known in names
    )


def shares(work: Callable[[], object], rounds: int, device: torch.device) -> dict[str, float]:
    """Each group's share of the work's time, largest first, in the fastest of ``rounds`` calls.

    On a GPU these are shares of the kernels' time.
    """
    fastest = min((_profiled(work, device) for _ in range(rounds)), key=lambda x: sum(x.values()))
    total = sum(fastest.values())
    return {group: time / total for group, time in fastest.items()}


def _profiled(work: Callable[[], object], device: torch.device) -> dict[str, float]:
    """Microseconds by group."""
    on_gpu = device.type == "cuda"
    use_device = "cuda" if on_gpu else None
    with profile(use_device=use_device, use_kineto=True) as profiler, record_function("update"):
        work()
        synchronize(device)
    times = dict.fromkeys(ORDER, 0.0)
    for event in profiler.function_events or []:
        if event.device_type != DeviceType.CPU:
            continue  # a kernel, which the operator that launched it has in its time
        time = event.self_device_time_total if on_gpu else event.self_cpu_time_total
        times[group_of(event.name, _callers(event))] += time
    return times


def _callers(event: Any) -> list[str]:
    names = []
    while (event := event.cpu_parent) is not None:
        names.append(event.name)
    return names
