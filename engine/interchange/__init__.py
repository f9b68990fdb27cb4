"""What goes to other programs and other machines, and what comes from them."""
