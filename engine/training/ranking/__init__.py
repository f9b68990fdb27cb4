"""Ranking every target among all items, and what else a trained model is measured by."""
