"""The log of a run, as it grows."""
