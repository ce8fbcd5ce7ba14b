"""What is told to people and programs, and how."""
