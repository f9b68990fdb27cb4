"""The report: what ran, what came of it, and what may be said of it, as one page."""
