"""The read side: what stands where, and what happened; writes nothing. Edge of the database."""
