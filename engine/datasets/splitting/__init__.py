"""Which interactions are trained on, and which of each user are ranked."""
