"""The pivot: cells by model, data set and length."""
