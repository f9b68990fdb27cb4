"""Widgets that features share; they are given data and never read it themselves."""
