"""How much choosing the epoch by the test metric adds: measured, and in words."""
