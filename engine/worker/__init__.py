"""One attempt at one run, as a process of its own: ``python -m engine.worker RUN_FOLDER …``."""
