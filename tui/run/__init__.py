"""The details of one run."""
