"""Commands about runs and the queue."""
