"""The ledger for programs: JSON over HTTP below /api/v1. Edge of HTTP."""
