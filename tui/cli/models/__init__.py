"""``seqbench models``: listing models, beginning one and examining one."""
