"""The computer that runs are trained on: its devices, what they do, and what a run will cost."""
