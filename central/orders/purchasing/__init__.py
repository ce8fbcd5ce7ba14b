"""Purchase orders, notices of shipment, inspections, returns to suppliers. Pure."""
