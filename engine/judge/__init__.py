"""Judging a data set: whether its users and the order of its histories can tell models apart."""
