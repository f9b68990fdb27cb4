"""What studies find and cost: samplers and pruning compared, through the real supervisor."""
