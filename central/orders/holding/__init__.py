"""Stock that is held, and given free again, at the desk. Pure."""
