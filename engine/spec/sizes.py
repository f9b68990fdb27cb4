"""Parameter counts in closed form, which need no torch; tests compare them with the modules."""

from __future__ import annotations

from engine.spec import XLSTM, BERT4Rec, RunSpec, SASRec, Transformer


def parameter_count(spec: RunSpec) -> int:
    """Count the trainable parameters of a run's model, for the catalogue's number of items."""
    return count(spec.architecture, spec.source.items, spec.length)


def count(architecture: SASRec | BERT4Rec | XLSTM, items: int, length: int) -> int:
    """Count trainable parameters, for V = ``items`` (without padding) and L = ``length``."""
    match architecture:
        case SASRec():
            return _sasrec(architecture, items, length)
        case BERT4Rec():
            return _bert4rec(architecture, items, length)
        case XLSTM():
            return _xlstm(architecture, items)


def feed_forward_width(dim: int) -> int:
    """Return the width of xLSTM-Large's feed-forward: 8/3·d, rounded up to a multiple of 64."""
    return -(-int(8 / 3 * dim) // 64) * 64


def _layer(d: int) -> int:
    attention = 4 * (d * d + d)
    feed_forward = d * 4 * d + 4 * d + 4 * d * d + d
    norms = 2 * 2 * d
    return attention + feed_forward + norms


def _sasrec(a: Transformer, items: int, length: int) -> int:
    output = 0 if a.tied else (items + 1) * a.dim + (items + 1)
    return (items + 1) * a.dim + _layers(a, length) + output


def _bert4rec(a: Transformer, items: int, length: int) -> int:
    d = a.dim
    embeddings = (items + 2) * d + 2 * d
    head = d * d + d + 2 * d
    output = (items + 1) + (0 if a.tied else (items + 1) * d)
    return embeddings + _layers(a, length + 1) + head + output


def _layers(a: Transformer, positions: int) -> int:
    """Count the layers, learned positions and the final norm."""
    learned = positions * a.dim if a.positions == "learned" else 0
    final_norm = 2 * a.dim if a.final_norm else 0
    return learned + a.layers * _layer(a.dim) + final_norm


def _xlstm(a: XLSTM, items: int) -> int:
    d = a.dim
    query_key = 2 * d * (d // 2)
    value_output_gate = 2 * d * d
    gates = 2 * (d * a.heads + a.heads)
    mlstm = query_key + value_output_gate + gates + d + d * d
    block = mlstm + 3 * d * feed_forward_width(d) + 2 * d
    embeddings = (1 if a.tied else 2) * (items + 1) * d
    return embeddings + a.layers * block + d
