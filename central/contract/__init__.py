"""The contract between gateways and the ledger: what travels, and what it means. Pure."""
