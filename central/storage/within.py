"""Connections that know a single warehouse, for whoever may see no other. Edge of SQLAlchemy.

Everything that reads across warehouses asks `central.stock.views.list_warehouses` which there are;
on a narrowed connection that is one.
"""

from sqlalchemy import Connection

_OPTION = "dockledger_within"


def narrow(connection: Connection, warehouse: str) -> None:
    """Have a connection know this warehouse only, until it is given back; "" leaves it as it is."""
    if warehouse:
        connection.execution_options(**{_OPTION: warehouse})


def within_of(connection: Connection) -> str:
    """Return the only warehouse that a connection knows, "" for all of them."""
    return str(connection.get_execution_options().get(_OPTION, ""))
