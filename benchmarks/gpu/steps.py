"""One update in several forms: eager, its layers compiled, one CUDA graph, and both; float32 and
bfloat16; with the rate that its matrix products reach against the same products alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.common import in_turns, progress
from benchmarks.compiled import compiled_update
from benchmarks.gpu.report import Part
from benchmarks.products import products_of, replay
from benchmarks.workload import SEED, Workload, set_up
from engine.config import load_catalogue
from engine.datasets.load import load_interactions
from engine.datasets.splits import leave_one_out
from engine.models.mlstm import Parts, read_all
from engine.training.update import capture
from engine.training.windows import Windows

ROUNDS = 20


def steps(
    models: Sequence[str], datasets: Sequence[str], length: int, *, compiled: bool = True
) -> Part:
    headers = ["run", "type", "eager, ms", "compiled, ms", "CUDA graph, ms", "compiled graph, ms"]
    headers += ["products alone, ms", "TFLOP/s", "share of ceiling"]
    part = Part(f"An update, L = {length}", headers)
    catalogue, device = load_catalogue(), torch.device("cuda")
    for dataset in datasets:
        split = leave_one_out(load_interactions(catalogue.dataset(dataset)))
        for model in models:
            for dtype in ("float32", "bfloat16"):
                progress(f"{model} × {dataset}, {dtype} ...")
                spec = catalogue.run_spec(model, dataset, length, SEED, overrides={"dtype": dtype})
                work = set_up(spec, split, device)
                batch = work.batches[0]
                products = products_of(work.repeatable(batch, eager=True))
                works: dict[str, Callable[[], object]] = {
                    "eager": work.repeatable(batch, eager=True),
                    "graph": work.repeatable(batch),
                    "products": replay(products, device),
                }
                compiles = compiled and dataset == datasets[-1] and dtype == "bfloat16"
                if compiles:  # takes some ten seconds each
                    works |= _compiled(work, batch)
                fastest = {k: min(v) for k, v in in_turns(works, ROUNDS, device).items()}
                flops = sum(product.flops for product in products)
                part.rows.append(
                    {
                        "run": f"{model}, {dataset}",
                        "dtype": dtype,
                        "eager_ms": 1e3 * fastest["eager"],
                        "compiled_ms": 1e3 * fastest["compiled"] if compiles else None,
                        "graph_ms": 1e3 * fastest["graph"],
                        "compiled_graph_ms": 1e3 * fastest["both"] if compiles else None,
                        "products_ms": 1e3 * fastest["products"],
                        "tflops": flops / fastest["graph"] / 1e12,
                        "share": fastest["products"] / fastest["graph"],
                    }
                )
    return part


def _compiled(work: Workload, batch: Windows) -> dict[str, Callable[[], object]]:
    update = compiled_update(work)
    update(batch)  # the first call compiles
    both = capture(update, work.learner, batch)
    return {"compiled": partial(update, batch), "both": partial(both, batch)}


def kernels(lengths: Sequence[int]) -> Part:
    """Our mLSTM beside the Triton kernels of ``mlstm_kernels``, forward and backward."""
    part = Part("mLSTM, forward and backward", ["B × heads × W × d_k", "ours, ms", "Triton, ms"])
    theirs = _triton()
    if theirs is None:
        part.notes.append("mlstm_kernels or Triton isn't installed: ours alone.")
    for length in lengths:
        shape = (128, 2, length, 32)
        factors = _factors(shape)
        works: dict[str, Callable[[], object]] = {"ours": partial(_ours, factors)}
        if theirs is not None and length % 16 == 0:
            works["theirs"] = partial(theirs, factors)
        times = in_turns(works, ROUNDS, torch.device("cuda"))
        part.rows.append(
            {
                "shape": " × ".join(map(str, shape)),
                "ours_ms": 1e3 * min(times["ours"]),
                "triton_ms": 1e3 * min(times["theirs"]) if "theirs" in times else None,
            }
        )
    return part


def _factors(shape: tuple[int, int, int, int]) -> list[Tensor]:
    """Query, key, value (twice as wide), and the two gates before their logarithms."""
    generator = torch.Generator("cuda").manual_seed(SEED)
    wide = (*shape[:3], 2 * shape[3])

    def draw(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        drawn = torch.randn(shape, generator=generator, device="cuda", dtype=dtype)
        return drawn.requires_grad_()

    matrices = [draw(each, torch.bfloat16) for each in (shape, shape, wide)]
    return matrices + [draw(shape[:3], torch.float32) for _ in range(2)]


def _ours(factors: list[Tensor]) -> None:
    query, key, value, gate_in, gate_forget = factors
    parts = Parts(
        query / query.shape[-1] ** 0.5,
        key,
        value,
        gate_in,
        torch.nn.functional.logsigmoid(gate_forget),
    )
    torch.autograd.backward(read_all(parts, -15.0, 1e-6).sum())


def _triton() -> Callable[[list[Tensor]], None] | None:
    try:
        from mlstm_kernels.torch import get_mlstm_kernel

        kernel: Any = get_mlstm_kernel("chunkwise--triton_xl_chunk")
    except (ImportError, ValueError, RuntimeError):
        return None

    def run(factors: list[Tensor]) -> None:
        query, key, value, gate_in, gate_forget = factors
        chunk = 16 if query.shape[2] % 64 else 64
        out = kernel(
            q=query,
            k=key,
            v=value,
            i=gate_in,
            f=gate_forget,
            chunk_size=chunk,
            autocast_kernel_dtype=torch.bfloat16,
        )
        torch.autograd.backward(out.sum())

    return run
