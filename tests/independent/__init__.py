"""A second opinion on a report: it reads the Markdown, the runs and the data sets, recomputes
every figure, and shares no code with the program that wrote it.

``python -m tests.independent report.md runs/ [data/]`` says of each sentence and row whether it
holds, and names what it can't judge.
"""
