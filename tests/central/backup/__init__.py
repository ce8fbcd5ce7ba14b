"""Backups of the ledger: made, kept, proven, brought back."""
