"""A scene: what truly happens, what gateways say of it, and what the desk does about that."""

from tests.central.truth.site import BINS

SECOND_MS, HOUR_MS = 1000, 3_600_000
PAUSES_MS = (SECOND_MS, 70 * SECOND_MS, HOUR_MS)  # Facts are on their way for a minute.
SETTLED_MAX = 40  # At the end; what then still opens something new is told.


class Scene:
    """`truth`: whole units by place. `ways`: steps by their names, with how often each comes.

    mistakes: scans of what never happened, with the gateway that undoes them later on.
    """

    steps_least, steps_most = 4, 14
    settled_kinds = ()

    def __init__(self, site, random):
        self.site = site
        self.truth = {}
        self.mistakes = []
        self.begin(random)

    def begin(self, random):
        """What there is before the first step."""

    def act(self, random):
        """Some time passes, and one step is done."""
        self.site.clock.time_ms += random.choice(PAUSES_MS)
        name = random.choices(list(self.ways), list(self.ways.values()))[0]
        getattr(self, name)(random)
        self.site.follow()

    def end(self):
        """All is told, and all is settled as proposed; return what is still open."""
        while self.mistakes:
            self.site.clock.time_ms += PAUSES_MS[1]
            self.site.undo(*self.mistakes.pop(0))
        self.site.clock.time_ms += PAUSES_MS[1]
        self.site.send_late()
        self.finish()
        self.site.clock.time_ms += HOUR_MS
        for _ in range(SETTLED_MAX):
            self.site.follow()
            rows = self.site.open(self.settled_kinds)
            if not any(self.site.settle_as_proposed(row) for row in rows):
                break
        return self.site.open()

    def finish(self):
        """What else is done once all is told."""

    def wrong(self):
        """Return where the books are not the truth: {place: (books, truth)}."""
        books = self.books()
        places = sorted(books.keys() | self.truth.keys())
        both = {place: (books.get(place, 0), self.truth.get(place, 0)) for place in places}
        return {place: one for place, one in both.items() if one[0] != one[1]}

    def books(self):
        """Return what the books have at the places of the truth."""
        found = self.site.stock("SH1")
        return {place: found.get(place, 0) for place in BINS}

    def moved(self, quantity, source, target):
        """Goods truly move."""
        for place, amount in ((source, -quantity), (target, quantity)):
            if place in self.truth:
                self.truth[place] += amount

    def undo(self, random):
        """A gateway takes one of its mistakes back."""
        if self.mistakes:
            self.site.undo(*self.mistakes.pop(random.randrange(len(self.mistakes))))

    def send(self, _random):
        """The late gateway tells what it knows."""
        self.site.send_late()

    def settle(self, random):
        """Somebody settles one that is open, as proposed."""
        rows = self.site.open(self.settled_kinds)
        if rows:
            self.site.settle_as_proposed(random.choice(rows))
