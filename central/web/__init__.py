"""The ledger for people: one live page in English and Chinese. Edge of HTTP."""
