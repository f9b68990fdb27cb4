"""Training one run: windows, objectives, evaluation, checkpoints, and the loop.

Knows a `RunSpec`, the interactions and a `Recorder`; nothing of store, supervisor or terminal.
"""
