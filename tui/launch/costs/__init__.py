"""What a launch costs: in words, and measured where no run here tells."""
