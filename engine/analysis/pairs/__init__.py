"""Cells side by side: who can be compared, which differences are real, and in which words."""
