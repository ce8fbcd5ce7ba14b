"""Sales orders, pick lists, putaway, replenishment, returns of customers. Pure."""
