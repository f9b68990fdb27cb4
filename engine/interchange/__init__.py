"""Exchange with other programs and machines: archives of runs, CSV, Parquet, event files."""
