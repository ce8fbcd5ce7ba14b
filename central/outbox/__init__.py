"""What central tells its gateways: durable numbered notices, and snapshots. Pure."""
