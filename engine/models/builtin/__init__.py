"""The models that come with seqbench: one file a model, as a user's own are written."""
