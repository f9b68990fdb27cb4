"""What is known of models without importing torch."""
