"""What seqbench does with a GPU, measured on one."""
