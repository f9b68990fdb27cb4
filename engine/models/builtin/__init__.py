"""The models that come with seqbench, each defined by one file."""
