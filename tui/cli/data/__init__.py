"""``seqbench data``."""
