"""Statuses of stock, in the order in which a movement takes it that states none. Pure."""

AVAILABLE = "available"
INSPECTION = "inspection"
HELD = "held"
REJECTED = "rejected"

STATUSES = (AVAILABLE, INSPECTION, HELD, REJECTED)
# In which a decision takes it of which nobody says what the goods were.
DECIDED_FIRST = (INSPECTION, AVAILABLE, HELD, REJECTED)
