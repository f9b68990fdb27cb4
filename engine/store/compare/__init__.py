"""The comparison: runs and cells, filtered, sorted and paged by SQLite."""
