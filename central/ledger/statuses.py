"""Statuses of stock, in the order in which a movement takes it that states none. Pure."""

AVAILABLE = "available"
INSPECTION = "inspection"
HELD = "held"
REJECTED = "rejected"

STATUSES = (AVAILABLE, INSPECTION, HELD, REJECTED)
