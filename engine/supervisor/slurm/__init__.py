"""Runs as jobs of a Slurm cluster: one job an attempt (docs/cluster.md)."""
