"""Columns of the comparison: which there are, what they mean, and how their values are written."""
