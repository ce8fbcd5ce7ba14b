"""Keys and certificates of a gateway."""
