"""Whether the order of models depends on the protocol: rules of targets, and how far they agree."""
