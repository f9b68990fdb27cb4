"""Comparing cells: which can be compared, which differences are real, and in which words."""
