"""Where data sets are found, fetched and read, and how histories are split."""
