"""The durable journal of facts, local stock and print jobs. Edge of SQLite."""
