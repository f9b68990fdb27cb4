"""The terminal of seqbench: the Textual app and its headless twin."""
