"""The dialog that begins a study of what is chosen on the Launch screen."""
