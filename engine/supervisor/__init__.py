"""The background process that works the queue: the supervisor, its pools and its launchers."""
