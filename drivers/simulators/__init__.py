"""Virtual devices behind real pseudo terminals and sockets, for tests and the demo. Edge."""
