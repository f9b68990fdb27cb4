"""Data sets: finding, fetching, reading, filtering and splitting them."""
