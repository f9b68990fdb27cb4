"""The panel of this machine's devices."""
