"""The index of all runs, ``runs.db``, which can be rebuilt from the run folders."""
