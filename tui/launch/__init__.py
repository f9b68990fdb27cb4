"""The Launch screen: choose runs and order them."""
