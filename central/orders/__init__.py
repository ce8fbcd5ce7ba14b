"""Orders, transfers, counts and settlements: what people decide about stock. Pure."""
