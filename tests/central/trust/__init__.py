"""Claims, certificates, revocation."""
