"""Examining a model: one small function per check, each with a verdict."""
