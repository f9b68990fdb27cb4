"""The results of a finished run, from its ranks and its recommended lists. Free of torch."""
