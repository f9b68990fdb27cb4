"""Below every screen: the terminal, its colours and keys, and texts."""
