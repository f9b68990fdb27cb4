"""What the recorded runs say: comparisons, reference figures beside ours, exports."""
