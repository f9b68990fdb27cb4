"""What the features that show results share."""
