"""Reading a data set's source file: unpacked, then text in UTF-8, then records in one of the
formats, all checked alike, to `Ratings`."""
