"""The terminal that is drawn on: its driver, its clipboard, its speed, and what it can show."""
