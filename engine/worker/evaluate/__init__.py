"""A process that ranks finished runs again: ``python -m engine.worker.evaluate``."""
