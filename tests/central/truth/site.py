"""SH1 with a gateway that is on line and one that is not, BJ1 with another, and the desk."""

from dataclasses import replace

from central.errors import DeskRefused
from central.orders.counts.outdated_counts import OutdatedCounts
from central.orders.settling.discrepancy_views import read_detail
from central.orders.settling.settlement_book import settle
from tests.central.orders.settling import Settling
from tests.central.scenery import Gateway, enrol

ITEM = "BOLT"
BINS = ("BIN-1", "BIN-2", "BIN-3")
JUST_NOW_MS = 1000  # What gateways tell of happened so long ago.


class Site(Settling):
    """What the late gateway says is in its journal until it sends."""

    def __init__(self, database):
        super().__init__(database)
        self.late = Gateway("sh1-dock-2")
        enrol(database, self.late)
        self.gateways = {"dock": self.dock, "late": self.late, "other": self.other}
        self.outdated = OutdatedCounts(database, clock=self.clock)
        self.log = []

    def move(self, name, quantity, source, target, **fields):
        """A gateway scans a movement; return which of its facts that is."""
        values = {"business_step": _step(source, target), "event_time_ms": self.just_now()}
        values |= {"source": source, "target": target} | fields
        number = self.gateways[name].move(ITEM, str(quantity), **values)
        what = f"{quantity} {source} -> {target} {fields.get('document', '')}".rstrip()
        self.note(f"{name} {number}: {what}")
        self._told(name)
        return number

    def undo(self, name, number):
        """A gateway takes a movement back."""
        self.note(f"{name} undoes {number}")
        self.gateways[name].reverse(number, event_time_ms=self.just_now())
        self._told(name)

    def send_late(self):
        """What the late gateway knows comes."""
        self.note("late sends")
        self.send(self.late)

    def just_now(self):
        return self.clock.time_ms - JUST_NOW_MS

    def note(self, said):
        self.log.append(f"{self.clock.time_ms // 1000 % 10_000_000}s {said}")

    def follow(self):
        """Whatever follows from behind has followed."""
        while not self.outdated.tick():
            pass

    def open(self, kinds=()):
        """What is open, as each database lists it: by kind and when it was opened."""
        rows = self.get("/discrepancies?state=open&limit=200")["discrepancies"]
        wanted = [row for row in rows if not kinds or row["kind"] in kinds]
        return sorted(wanted, key=lambda row: (row["kind"], row["opened_time"], row["subject"]))

    def settle_as_proposed(self, row):
        """Settle a discrepancy by its best proposal; return whether there is one."""
        with self.database.read() as connection:
            detail = read_detail(connection, row["id"], now_ms=self.clock.time_ms)
        if not detail.proposals:
            return False
        decision = replace(detail.proposals[0].decision, reason="as proposed")
        try:
            with self.desk.change(actor="li.na") as change:
                settle(change, row["id"], decision)
        except DeskRefused as error:
            self.note(f"refused {row['kind']} {row['subject']}: {error}")
            return False
        self.note(f"settled {row['kind']} {row['subject']} by {decision.action}")
        return True

    def counted(self, location, quantity):
        """Somebody counts a bin at the desk; somebody else has it posted."""
        body = {"warehouse": "SH1", "lines": [{"item": ITEM, "location": location}]}
        body |= {"review": {}, "recount": {}}
        code = self.post("/counts", body)["code"]
        self.post(f"/counts/{code}/release")
        entry = {"item": ITEM, "location": location, "quantity": str(quantity)}
        self.post(f"/counts/{code}/entries", {"counted_by": "an", "entries": [entry]})
        self.note(f"{code} counts {quantity} at {location}")
        return code

    def posted(self, code):
        """A count is posted, reviewed if it has to be."""
        for action in ("finish", "post", "accept"):
            if action in self.get(f"/counts/{code}")["actions"]:
                self.ask("POST", f"/counts/{code}/{action}", {}, Dockledger_Actor="chief")
        self.note(f"{code} is {self.get(f'/counts/{code}')['state']}")

    def transfer(self, quantity):
        """A transfer from SH1 to BJ1 that stations know of; its code."""
        line = {"item": ITEM, "quantity": str(quantity)}
        body = {"source_warehouse": "SH1", "destination_warehouse": "BJ1", "lines": [line]}
        code = self.post("/transfers", body)["code"]
        for action in ("request", "approve", "release"):
            self.post(f"/transfers/{code}/{action}")
        self.note(f"{code} of {quantity}")
        return code

    def stock(self, warehouse):
        """{location: whole units}, in transit as one place; zeros left out."""
        found = {}
        for (location, _), amount in self.on_hand(ITEM, warehouse).items():
            place = location.partition("/")[0]
            found[place] = found.get(place, 0) + amount
        return {place: amount for place, amount in found.items() if amount}

    def _told(self, name):
        if name != "late":
            self.send(self.gateways[name])


def _step(source, target):
    if source in {"supplier", "in_transit"}:
        return "receiving"
    return "shipping" if target in {"customer", "in_transit"} else "storing"
