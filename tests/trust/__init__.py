"""Who is who, with real brokers, real gateways and real certificates."""
