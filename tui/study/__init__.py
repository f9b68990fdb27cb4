"""A study as it goes on: its trials, and what it chose."""
