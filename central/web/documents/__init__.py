"""Documents of the desk as pages: one description each, drawn by one template. Pure."""
