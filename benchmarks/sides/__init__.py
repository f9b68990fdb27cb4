"""The sides of ``make bench-peers``: each is a process of its own that trains when it is asked."""
