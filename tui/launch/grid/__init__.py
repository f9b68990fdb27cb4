"""The grid of cells on the Launch screen."""
