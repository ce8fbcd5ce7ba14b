"""Takes batches of gateways once and in order, and says what it took. Edge of the database."""
