"""The edge gateway: readings become facts, durable and sent. Pure."""
