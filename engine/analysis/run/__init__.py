"""One run: its facts, pace and time; advice after a failure; training further, launching again."""
