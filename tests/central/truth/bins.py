"""Three bins: goods come, go and are carried; some scans never happened, some come late."""

from typing import ClassVar

from tests.central.truth.scene import Scene
from tests.central.truth.site import BINS

GATEWAYS = ("dock", "dock", "late")
POSTED_AFTER_MS = (0, 600_000)


class Bins(Scene):
    """Nobody counts."""

    ways: ClassVar = {"move": 6, "mistake": 3, "undo": 2, "send": 2, "settle": 4}

    def begin(self, _random):
        self.truth = dict.fromkeys(BINS, 0)

    def move(self, random):
        """Something happens, and is scanned as it was."""
        what = random.choice(("in", "out", "carried"))
        there = [place for place in BINS if self.truth[place]]
        if what == "in":
            source, target, quantity = "supplier", random.choice(BINS), random.randint(1, 9)
        elif there:
            source = random.choice(there)
            elsewhere = [place for place in BINS if place != source]
            target = "customer" if what == "out" else random.choice(elsewhere)
            quantity = random.randint(1, self.truth[source])
        else:
            return
        self.moved(quantity, source, target)
        self.site.move(random.choice(GATEWAYS), quantity, source, target)

    def mistake(self, random):
        """Something is scanned that did not happen."""
        ways = (
            ("supplier", random.choice(BINS)),
            (random.choice(BINS), "customer"),
            random.sample(BINS, 2),
        )
        name, quantity = random.choice(GATEWAYS), random.randint(1, 6)
        self.mistakes.append((name, self.site.move(name, quantity, *random.choice(ways))))


class CountedBins(Bins):
    """The desk counts, too, and always what is there."""

    ways: ClassVar = Bins.ways | {"move": 6, "mistake": 2, "settle": 3, "count": 3}

    def count(self, random):
        """Somebody counts a bin and types it in."""
        place = random.choice(BINS)
        code = self.site.counted(place, self.truth[place])
        self.site.clock.time_ms += random.choice(POSTED_AFTER_MS)
        self.site.posted(code)


class CountedByStations(Bins):
    """No scan is wrong, and some are late; so are counts, of which only these are settled."""

    ways: ClassVar = {"move": 7, "plan": 3, "count": 4, "post": 4, "send": 3, "settle": 2}
    settled_kinds = ("count_outdated", "filled_twice", "negative_balance")

    def begin(self, random):
        super().begin(random)
        self.planned = []
        self.counted = []

    def plan(self, random):
        """A count of a bin is released."""
        place = random.choice(BINS)
        body = {"warehouse": "SH1", "lines": [{"item": "BOLT", "location": place}]}
        code = self.site.post("/counts", body | {"review": {}, "recount": {}})["code"]
        self.site.post(f"/counts/{code}/release")
        self.planned.append((code, place))
        self.site.note(f"{code} of {place}")

    def count(self, random):
        """A station counts what is there."""
        if not self.planned:
            return
        code, place = self.planned.pop(random.randrange(len(self.planned)))
        name, quantity = random.choice(GATEWAYS), self.truth[place]
        fields = {"document": code, "document_line": 1, "operator": "an"}
        fields |= {"event_time_ms": self.site.just_now()}
        self.site.gateways[name].count(str(quantity), item="BOLT", location=place, **fields)
        if name != "late":
            self.site.send(self.site.gateways[name])
        self.site.note(f"{name} counts {quantity} at {place} for {code}")
        self.counted.append(code)

    def post(self, _random):
        """All counts are posted that have come."""
        for code in list(self.counted):
            self.site.posted(code)
            if self.site.get(f"/counts/{code}")["state"] == "posted":
                self.counted.remove(code)

    def finish(self):
        self.site.follow()
        self.post(None)
