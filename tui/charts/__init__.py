"""Charts of runs, on any screen."""
