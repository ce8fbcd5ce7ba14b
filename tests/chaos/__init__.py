"""Real programs killed under load; nothing acknowledged is lost, nothing is posted twice. Root."""
