"""What the bytes of each kind of device mean: bytes in, readings out. Pure."""
