"""The Compare screen: every run in one table."""
