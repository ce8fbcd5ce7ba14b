"""The outbox on its way to the ledger. Loop."""

from gateway.memory import defer

# paho asks it for proxies, once somebody has installed PySocks; it brings HTTP, mail and archives,
# a thirtieth of the memory that the core may take.
defer("urllib.request")
