"""What ``seqbench`` does without the app: one module a subject, loaded when it is asked for."""
