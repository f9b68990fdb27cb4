"""What the app is composed of, besides its screens."""
