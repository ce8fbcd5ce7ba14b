"""The outbox on its way to the ledger. Loop."""
