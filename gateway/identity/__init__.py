"""Who this gateway is: its key, its claim, its certificate. Pure."""
