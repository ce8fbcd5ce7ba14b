"""A test that leaves something listening to an engine it shares with others is found."""

import pytest
from sqlalchemy import event

from tests.central.listening import listeners, none_left_listening


def heard(*_):
    """Listen, and do nothing."""


@pytest.mark.parametrize("name", ["before_cursor_execute", "checkout"])
@pytest.mark.parametrize("side", ["read", "write"])
def test_what_still_listens_to_an_engine_is_found_and_what_does_not_is_not(database, side, name):
    with getattr(database, side)() as connection:
        engine = connection.engine
    before = listeners(database)
    with (
        pytest.raises(AssertionError, match=f"still listening.*{name}"),
        none_left_listening(database),
    ):
        event.listen(engine, name, heard)
    event.remove(engine, name, heard)
    with none_left_listening(database):
        event.listen(engine, name, heard)
        event.remove(engine, name, heard)
    assert listeners(database) == before
