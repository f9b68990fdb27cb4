"""What is asked of processes of their own, because they load PyTorch."""
