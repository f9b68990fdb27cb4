"""A run that has ended, replayed."""
