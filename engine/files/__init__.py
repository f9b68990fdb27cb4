"""Files: replaced whole, locked, opened only if they are regular, and those that the user names."""
