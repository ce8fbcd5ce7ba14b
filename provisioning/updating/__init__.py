"""Updates a gateway by itself, and goes back by itself. Pure."""
