"""The demo, piece by piece and whole. Root."""
