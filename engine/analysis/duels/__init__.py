"""Duels: two models with the same budget, and seeds added until the paired test decides."""
