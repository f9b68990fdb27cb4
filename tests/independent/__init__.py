"""A second opinion on a report: it reads the Markdown and the run folders, recomputes every figure,
and shares no code with the program that wrote it.

``python -m tests.independent report.md runs/`` says of each sentence and row whether it holds, and
names what it can't judge.
"""
