"""A random walk through everything that people and gateways do, with every promise checked."""
