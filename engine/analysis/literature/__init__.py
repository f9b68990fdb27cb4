"""Published results with their protocol, and in what a cell of ours differs from it."""
