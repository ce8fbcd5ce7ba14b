"""One application for all tests of a process: the framework prepares each of its routes only once.

A new application prepares its routes when the first requests come, which costs a second for the
hundreds of them; which database it speaks to is state, and is exchanged from test to test.
"""

from dataclasses import replace
from functools import cache

from central.stock.alert_book import AlertBook
from central.stock.key_figures import FigureBook
from central.stock.strays import StrayItems
from central.web.app import create_app


def application(*, database, clock, writing=None):
    """The application, speaking to a database. Only for tests that do without its live pages."""
    app = _application()
    app.state.read_side = replace(
        app.state.read_side,
        database=database,
        clock=clock,
        epcis_base_uri="",
        strays=StrayItems(),
        alerts=AlertBook(),
        figures=FigureBook(),
    )
    app.state.write_side = writing
    return app


@cache
def _application():
    return create_app(database=None, clock=None, site="demo")
