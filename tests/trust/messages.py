"""Messages that somebody has tampered with, and honest ones in every order, for the intake."""

import random
from collections import Counter
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select

from central.inbox.gateways import close_key
from central.storage import tables
from tests.central.scenery import Gateway, discrepancies, furnished

AT_ONCE = 64
FACTS_EACH = 3


@dataclass(frozen=True)
class Tally:
    """tried: by kind. accepted: what should not have been. facts_added: rows that came of it."""

    tried: Counter
    accepted: Counter
    facts_added: int


@dataclass(frozen=True)
class Delivery:
    """outcomes: by kind. alarms: discrepancies and quarantined payloads. facts_count: in all."""

    outcomes: Counter
    alarms: int
    facts_count: int


def facts_in(database):
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.facts)).scalar()


def quarantined_in(database):
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.quarantine)).scalar()


class Forger:
    """Knows everything that honest gateways have said, and has no key of theirs."""

    def __init__(self, database, seed):
        self.database = database
        self.random = random.Random(seed)
        self.key = Ed25519PrivateKey.generate()
        self.honest = [self._moved(f"dock-{number}") for number in range(8)]
        self.revoked = self._moved("dock-revoked")
        self.inbox = furnished(database, *self.honest, self.revoked)
        for gateway in self.honest:
            (outcome,) = self.inbox.accept([gateway.offer(1, FACTS_EACH)])
            assert outcome.kind == "accepted"
        with database.write() as connection:
            close_key(connection, gateway=self.revoked.code)

    def _moved(self, code):
        gateway = Gateway(code)
        for _ in range(2 * FACTS_EACH):
            gateway.move()
        return gateway

    def flipped_bit(self):
        gateway = self.random.choice(self.honest)
        topic, payload = gateway.offer(FACTS_EACH + 1)
        changed = bytearray(payload)
        changed[self.random.randrange(len(changed))] ^= 1 << self.random.randrange(8)
        return topic, bytes(changed)

    def forged_signature(self):
        gateway = self.random.choice(self.honest)
        return gateway.code, gateway.batch(FACTS_EACH + 1, key=self.key)

    def another_topic(self):
        gateway, other = self.random.sample(self.honest, 2)
        return other.code, gateway.batch(FACTS_EACH + 1)

    def replay(self):
        gateway = self.random.choice(self.honest)
        return gateway.offer(1, FACTS_EACH)

    def cut_short(self):
        topic, payload = self.random.choice(self.honest).offer(FACTS_EACH + 1)
        return topic, payload[: self.random.randrange(len(payload))]

    def sequence_used_again(self):
        """With the gateway's own key, as on a cloned card: another fact for a number taken."""
        gateway = self.random.choice(self.honest)
        clone = Gateway(gateway.code, key=gateway.key)
        clone.epoch = gateway.epoch
        for _ in range(FACTS_EACH):
            clone.move(item="NUT")
        return clone.offer(1, FACTS_EACH)

    def of_the_revoked(self):
        return self.revoked.offer(1, 1 + self.random.randrange(FACTS_EACH))


KINDS = (
    "flipped_bit",
    "forged_signature",
    "another_topic",
    "replay",
    "cut_short",
    "sequence_used_again",
    "of_the_revoked",
)


def tamper(database, *, count, seed):
    """Offer `count` messages that must not be taken; return what became of them."""
    forger = Forger(database, seed)
    before = facts_in(database)
    tried, accepted = Counter(), Counter()
    for start in range(0, count, AT_ONCE):
        kinds = [KINDS[number % len(KINDS)] for number in range(start, min(start + AT_ONCE, count))]
        offers = [getattr(forger, kind)() for kind in kinds]
        for kind, outcome in zip(kinds, forger.inbox.accept(offers), strict=True):
            tried[kind] += 1
            if outcome.kind == "accepted":
                accepted[kind] += 1
    return Tally(tried, accepted, facts_in(database) - before)


def deliver(database, *, count, seed, gateways_count=20, batches_each=60):
    """Offer honest batches `count` times, shuffled and repeated; return what became of them."""
    dice = random.Random(seed)
    gateways = [Gateway(f"dock-{number}") for number in range(gateways_count)]
    offers = []
    for gateway in gateways:
        for number in range(batches_each):
            for _ in range(FACTS_EACH):
                gateway.move()
            first = number * FACTS_EACH + 1
            offers.append(gateway.offer(first, first + FACTS_EACH - 1))
    inbox = furnished(database, *gateways)
    outcomes = Counter()
    # As a broker may: each again and again, in any order; what came too early is offered again.
    deck = offers * (count // len(offers) + 1)
    dice.shuffle(deck)
    deck = [*deck[: count - len(offers)], *offers]
    for start in range(0, len(deck), AT_ONCE):
        outcomes.update(one.kind for one in inbox.accept(deck[start : start + AT_ONCE]))
    alarms = len(discrepancies(database)) + quarantined_in(database)
    return Delivery(outcomes, alarms, facts_in(database))
