"""What studies say: the best of so many trials, which settings matter, what was chosen."""
