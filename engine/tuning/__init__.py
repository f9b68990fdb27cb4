"""Studies: which settings are tried next, and which are chosen. Optuna does the searching."""
