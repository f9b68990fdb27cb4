"""Training one run: windows, objectives, evaluation, checkpoints, and the loop.

It depends on a `RunSpec`, the interactions and a `Recorder`, and on neither store, supervisor nor
terminal.
"""
