"""Training, storage and scheduling for seqbench; knows nothing of the terminal."""

__version__ = "0.1.0"
