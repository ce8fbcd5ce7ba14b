"""A count as the answer to what was done to it. Edge of HTTP."""

from central.api.count_answers import count_out
from central.api.count_models import CountOut
from central.api.writing import Answer
from central.ledger.desk import Change
from central.orders.counts.count_views import view_count
from central.orders.counts.counts import CountHead


def count_body(change: Change, head: CountHead) -> CountOut:
    """Return a count as a change leaves it."""
    return count_out(view_count(change.connection, head))


def count_answer(
    change: Change, head: CountHead, *, status: int = 200, location: str = ""
) -> Answer:
    """Return a count as the answer to what was done to it."""
    return Answer(count_body(change, head), status, version=head.version, location=location)
