"""What is set aside for whom, and what is left. Pure."""
