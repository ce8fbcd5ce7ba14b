"""The pages of central, an area each. Pure."""
