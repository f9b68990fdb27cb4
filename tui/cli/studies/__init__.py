"""``seqbench tune`` and ``seqbench studies``: settings chosen on validation, at a stated cost."""
