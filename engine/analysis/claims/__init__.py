"""What can be claimed about cells that are compared: whether, how certainly, and in which words."""
