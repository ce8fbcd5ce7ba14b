"""The central ledger: what is true everywhere. Pure."""
