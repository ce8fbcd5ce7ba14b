"""Tables that come from and go to Excel and CSV files. Pure."""
