"""What can be read from the recorded runs: comparisons, published results beside ours, exports."""
