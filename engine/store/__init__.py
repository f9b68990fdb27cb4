"""The index of all runs, ``runs.db``: made from the run folders, and made anew from them."""
