"""Device drivers: bytes in, readings out; imports nothing else of Dockledger. Pure."""
