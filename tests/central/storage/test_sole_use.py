"""An SQLite ledger has one `serve`; PostgreSQL any number."""

from contextlib import ExitStack

import pytest

from central.errors import DatabaseUnusable
from central.storage.sole_use import sole_use


def test_a_second_process_that_would_serve_an_sqlite_ledger_is_told_and_the_next_one_is_not(
    own_database,
):
    with ExitStack() as stack:
        stack.enter_context(sole_use(own_database))
        if own_database.dialect == "sqlite":
            with pytest.raises(DatabaseUnusable, match="another process serves"):
                stack.enter_context(sole_use(own_database))
        else:
            stack.enter_context(sole_use(own_database))
    with sole_use(own_database):
        pass
