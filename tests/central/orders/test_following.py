"""What followers note of gateways' facts has its place among what people do at the desk."""

from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.orders.following import FOLLOWERS
from central.storage import tables
from tests.central.scenery import FixedClock, Gateway, enrol, load, rows


def test_events_of_followers_and_of_the_desk_are_numbered_together_without_gaps(database):
    load(database)
    gateways = [Gateway("sh1-dock-1"), Gateway("sh1-dock-2")]
    enrol(database, *gateways)
    clock = FixedClock()
    desk = Desk(database, clock=clock, followers=FOLLOWERS)
    inbox = Inbox(database, clock=clock, followers=FOLLOWERS)
    for number, sent in enumerate((gateways[:1], gateways[1:], [])):
        with desk.change(actor="li.na") as change:
            change.note("transfer", f"TR-{number}", "drafted")
        for gateway in sent:
            gateway.count("3")
            (outcome,) = inbox.accept([gateway.offer(1)])
            assert outcome.kind == "accepted"
    found = rows(database, tables.object_events, "event_no", "kind")
    kinds = ["transfer", "count", "transfer", "count", "transfer"]
    assert found == list(enumerate(kinds, 1))
