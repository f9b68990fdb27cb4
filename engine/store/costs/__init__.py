"""What runs cost: time and energy of stored runs, and what they say of runs to come."""
