"""An order is picked at one dock and shipped at another: its goods are counted once everywhere."""

import pytest

from tests.gateway.test_downlink_whole import TEA, site
from tests.scenarios.week import Week
from tests.waiting import wait_for

CASE = "16901234567899"


class Office(Week):
    """Head office of one warehouse whose gateways run already."""

    def __init__(self, url, *docks):
        self.url, self.docks = url, docks

    def order(self):
        """The order's state, and of its line what is set aside, stands ready and went out."""
        said = self.get("sales-orders/SO-9")
        (line,) = said["lines"]
        return said["state"], line["reserved"], line["picked"], line["shipped"]

    def heard(self, dock, facts_count):
        """Wait until a dock has recorded so many facts, and the ledger has them all."""
        recorded = "SELECT max(number), (SELECT sum(acked_seq) FROM epochs) FROM facts"
        wanted = [(facts_count, facts_count)]
        wait_for(lambda: dock.rows(recorded) == wanted, what=f"{facts_count} facts of {dock.code}")

    def see(self, stock, *order):
        """Wait until office and gateways have the same stock, and the order is so far."""
        wanted = {(place, "TEA-250"): count for place, count in stock.items()}
        for dock in self.docks:
            wait_for(lambda dock=dock: dock.stock() == wanted, what=f"{dock.code}: {stock}")
        wait_for(lambda: self.order() == order, what=f"the order is {order}")
        assert self.stock("sh1") == {(*key, "available"): count for key, count in wanted.items()}

    def told(self):
        """Wait until the gateways have what the office says of documents."""
        for dock in self.docks:
            wait_for(lambda dock=dock: self._has(dock), what=f"{dock.code} is told")

    def _has(self, dock):
        said = self.get(f"gateways/{dock.code}/notices")
        applied = said["acked_number"] == said["last_number"]
        return applied and said["reference_revision"] == said["reference_newest"]


@pytest.mark.timeout(600)
def test_goods_that_are_put_ready_and_shipped_use_up_what_was_set_aside_once(tmp_path):
    with site(tmp_path, ship_location="STAGE-1") as (url, left, right):
        office = Office(url, left, right)
        for one in (left, right):
            wait_for(one.knows, what=f"{one.code} has a snapshot")
        left.scan("CMD-RECEIVE", "CMD-QTY-40", TEA, "CMD-PUTAWAY", "CMD-QTY-40", TEA)
        left.scan("LOC-A-01-03", "CMD-DONE")
        wait_for(lambda: office.stock("sh1") == {("A-01-03", "TEA-250", "available"): 40})
        office.post("partners", {"code": "NOODLE", "name": "Noodle bar", "kind": "customer"})
        lines = [{"line": 1, "item": "TEA-250", "quantity": "24"}]
        order = {"warehouse": "sh1", "customer": "NOODLE", "code": "SO-9", "lines": lines}
        office.post("sales-orders", order)
        office.steps("sales-orders/SO-9", "submit", "approve", "release")
        office.told()
        office.see({"A-01-03": 40}, "released", "24", "0", "0")

        # One case is put ready, one too many by mistake.
        left.scan("CMD-PICK", "DOC-SO-9", "LOC-A-01-03", CASE)
        office.heard(left, 3)
        office.see({"A-01-03": 28, "STAGE-1": 12}, "picking", "24", "12", "0")
        left.scan(CASE, "CMD-UNDO")
        office.heard(left, 5)
        office.see({"A-01-03": 28, "STAGE-1": 12}, "picking", "24", "12", "0")
        left.kill()
        left.start()
        left.scan(CASE, "CMD-DONE")
        office.see({"A-01-03": 16, "STAGE-1": 24}, "picking", "24", "24", "0")

        # It goes out where it stands, though the order says where it was: nobody scans the place.
        left.scan("CMD-SHIP", "DOC-SO-9", CASE)
        office.see({"A-01-03": 16, "STAGE-1": 12}, "part_shipped", "12", "12", "12")
        # The other dock knows of no pick: there somebody has to say where the goods stand.
        right.scan("CMD-SHIP", "DOC-SO-9", "LOC-STAGE-1", CASE, "CMD-DONE")
        office.see({"A-01-03": 16}, "shipped", "0", "0", "24")
        assert office.discrepancies() == []
