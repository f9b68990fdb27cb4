"""Widgets of the app: they are given data and never read it themselves."""
