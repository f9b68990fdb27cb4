"""The report's sections, each from what was gathered."""
