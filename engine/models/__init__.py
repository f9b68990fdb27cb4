"""The sequence models: one file a model, and the registry that builds them."""
