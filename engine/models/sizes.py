"""Parameter counts in closed form, so that no screen needs torch to state them.

The tests hold them against the modules themselves.
"""

from __future__ import annotations

from engine.spec import XLSTM, BERT4Rec, RunSpec, SASRec, Transformer


def parameter_count(spec: RunSpec) -> int:
    """Trainable parameters of a run's model, with the catalogue's item count."""
    return count(spec.architecture, spec.source.items, spec.length)


def count(architecture: SASRec | BERT4Rec | XLSTM, items: int, length: int) -> int:
    """Trainable parameters for ``items`` items (padding not counted) and ``length`` positions."""
    match architecture:
        case SASRec():
            return _sasrec(architecture, items, length)
        case BERT4Rec():
            return _bert4rec(architecture, items, length)
        case XLSTM():
            return _xlstm(architecture, items)


def feed_forward_width(dim: int) -> int:
    """xLSTM-Large's gated feed-forward: 8/3·d rounded up to a multiple of 64."""
    return -(-int(8 / 3 * dim) // 64) * 64


def _layer(d: int) -> int:
    attention = 4 * (d * d + d)
    feed_forward = d * 4 * d + 4 * d + 4 * d * d + d
    norms = 2 * 2 * d
    return attention + feed_forward + norms


def _output(items: int, d: int) -> int:
    return (items + 1) * d + (items + 1)


def _sasrec(a: Transformer, items: int, length: int) -> int:
    d = a.dim
    return (items + 1) * d + length * d + a.layers * _layer(d) + _output(items, d)


def _bert4rec(a: Transformer, items: int, length: int) -> int:
    d = a.dim
    embeddings = (items + 2) * d + (length + 1) * d + 2 * d
    head = d * d + d + 2 * d
    return embeddings + a.layers * _layer(d) + head + _output(items, d)


def _xlstm(a: XLSTM, items: int) -> int:
    d = a.dim
    query_key = 2 * d * (d // 2)
    value_output_gate = 2 * d * d
    gates = 2 * (d * a.heads + a.heads)
    mlstm = query_key + value_output_gate + gates + d + d * d
    block = mlstm + 3 * d * feed_forward_width(d) + 2 * d
    return 2 * (items + 1) * d + a.layers * block + d
