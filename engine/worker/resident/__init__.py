"""A process that takes runs one after another: ``python -m engine.worker.resident FOLDER …``."""
