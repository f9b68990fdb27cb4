"""The queue's background half: the supervisor, its slots and its launchers."""
