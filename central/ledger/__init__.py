"""Double entry of facts: lines, balances, progress, discrepancies. Edge of the database."""
