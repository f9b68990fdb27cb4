"""What may be said of cells beside each other: whether, how surely, and in which words."""
