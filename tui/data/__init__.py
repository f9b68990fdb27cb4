"""The catalogue of data sets."""
