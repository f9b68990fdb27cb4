"""The reference table's form: made of cells, read from a store, written as text and sheets."""
