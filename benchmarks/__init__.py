"""Measurements behind docs/performance.md; each module is one ``make bench-…``."""
