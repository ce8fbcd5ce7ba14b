"""Copies of the ledger that outlive its machine: made, kept, proven, brought back. Pure."""
