"""Who may do what at central, who is signed in, and what was done. Edge of the database."""
