"""The Live screen: the queue, and a run as it trains."""
