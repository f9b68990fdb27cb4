"""``seqbench doctor``."""
