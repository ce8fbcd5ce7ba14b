"""What listens to the engines of a database, which other tests are given after this one."""

from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.events import ConnectionEvents, DialectEvents, PoolEvents


def listeners(database):
    """(event, listener) of all that listens to the engines of a database and to what is theirs."""
    found = []
    for engine in [one for one in vars(database).values() if isinstance(one, Engine)]:
        places = {
            ConnectionEvents: engine.dispatch,
            PoolEvents: engine.pool.dispatch,
            DialectEvents: engine.dialect.dispatch,
        }
        for family, place in places.items():
            names = [name for name in vars(family) if not name.startswith("_")]
            names.remove("dispatch")
            found += [(name, one) for name in names for one in getattr(place, name)]
    return found


@contextmanager
def none_left_listening(database):
    """Fail at the end if something listens that did not before: it would hear other tests."""
    before = listeners(database)
    yield
    left = [one for one in listeners(database) if one not in before]
    assert not left, f"still listening, use event.remove or listen to a connection: {left}"
