"""The comparison and files: exports, the report, and runs that are imported."""
