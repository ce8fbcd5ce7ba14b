"""From nothing to a running installation; holds the demo warehouse. Pure."""
