"""Reading a data set's source files: one reader a format, all returning `Ratings`."""
