"""The models that a data set is judged with: the fitted ones that come with seqbench."""

from __future__ import annotations

from engine.modelinfo.builtin import builtin_infos

FITTED = tuple(name for name, info in builtin_infos().items() if info.kind == "fitted")

SEQUENTIAL = "markov"
"""The one of them that the shuffle test asks, which uses the order of a history."""
