"""What gateways do: true things, wrong things, late things, everything twice and out of order."""

from random import Random

from central.contract.quantities import canonical_text, from_micro
from central.inbox.inbox import Outcome
from tests.central.invariants.world import BINS, ITEMS, KILOGRAMS, PART, Sender, World

DAY_MS = 24 * 3600 * 1000
VIRTUAL = ("supplier", "customer", "adjustment", "scrap", "production", "in_transit")
RUN_MAX = 12  # Facts of one batch.


def receive(world: World, chooser: Random) -> str:
    """Goods come, with or without an order, of known and unknown items and places."""
    sender = chooser.choice(world.senders)
    item = chooser.choice((*ITEMS, *ITEMS, "GHOST"))
    document = chooser.choice(("", f"PO-{sender.warehouse}", f"PO-{sender.warehouse}", "PO-9"))
    sender.journal.move(
        item,
        _quantity(chooser, item),
        source="supplier",
        target=chooser.choice((*BINS, *BINS, "BIN-9")),
        unit=_unit(chooser, item),
        document=document,
        document_line=chooser.randrange(4) if document else 0,
        lot=_lot(chooser, item),
        event_time_ms=_time(world, chooser),
        clock_synced=chooser.random() < 0.95,
    )
    return f"{sender.code} receives {item}"


def move_goods(world: World, chooser: Random) -> str:
    """Something that is there is moved, mostly not more than there is."""
    sender = chooser.choice(world.senders)
    stock = world.stock(sender.warehouse)
    if not stock:
        return ""
    row = chooser.choice(stock)
    micro = row.on_hand_micro * chooser.choice((1, 1, 1, 2, 3)) // chooser.choice((1, 1, 2, 4))
    if micro < 1:
        return ""
    target = chooser.choice((*BINS, *BINS, "customer", "scrap", "BIN-9"))
    if target == row.location:
        return ""
    sender.journal.move(
        row.item,
        canonical_text(from_micro(micro)),
        source=row.location,
        target=target,
        unit=row.unit,
        lot=row.lot,
        serial=row.serial,
        sscc=row.sscc,
        business_step="storing",
        event_time_ms=_time(world, chooser),
    )
    return f"{sender.code} moves {row.item} to {target}"


def move_anything(world: World, chooser: Random) -> str:
    """A station says something that cannot be, or not yet: below zero, another warehouse."""
    sender = chooser.choice(world.senders)
    source, target = chooser.sample((*BINS, *VIRTUAL, "BIN-9"), 2)
    item = chooser.choice((*ITEMS, "GHOST"))
    warehouse = sender.warehouse
    if chooser.random() < 0.1:
        warehouse = chooser.choice(("SH1", "BJ1", "NOWHERE"))
    sender.journal.move(
        item,
        _quantity(chooser, item),
        source=source,
        target=target,
        unit=_unit(chooser, item),
        lot=_lot(chooser, item),
        serial=chooser.choice(("", "", "", "S-1", "S-2")),
        sscc=chooser.choice(("", "", "", "006141411234567890")),
        warehouse=warehouse,
        document=chooser.choice(("", "", "", f"PO-{sender.warehouse}", "PO-9")),
        event_time_ms=_time(world, chooser),
    )
    return f"{sender.code} says {item} {source} to {target}"


def take_back(world: World, chooser: Random) -> str:
    """A fact of this or an earlier epoch is taken back, whatever it was, perhaps once more."""
    sender = chooser.choice(world.senders)
    epoch = chooser.choice(sender.epochs)
    seq = chooser.randrange(1, len(epoch.bodies) + 3)
    sender.journal.reverse(seq, epoch=epoch.epoch, event_time_ms=_time(world, chooser))
    return f"{sender.code} takes back {seq} of epoch {sender.epochs.index(epoch)}"


def say_other_things(world: World, chooser: Random) -> str:
    """A weighing, a passage, or bytes that are no fact: nothing that moves stock."""
    journal = chooser.choice(world.senders).journal
    kind = chooser.choice(("weigh", "pass_by", "print_label", "say"))
    if kind == "say":
        journal.say(chooser.randbytes(6))
    else:
        getattr(journal, kind)(event_time_ms=_time(world, chooser))
    return kind


def restart(world: World, chooser: Random) -> str:
    """A gateway starts anew; what it had not sent goes first, or comes much later."""
    sender = chooser.choice(world.senders)
    sender.restart()
    return f"{sender.code} starts"


def send(world: World, chooser: Random) -> str:
    """Some runs arrive: in order, again, too early, of several gateways in one call."""
    offers = []
    for sender in chooser.sample(world.senders, chooser.randrange(1, 4)):
        number = chooser.randrange(len(sender.epochs))
        epoch = sender.epochs[number]
        if not epoch.bodies:
            continue
        first = sender.acked[number] + 1
        if chooser.random() < 0.2:
            first = chooser.randrange(1, len(epoch.bodies) + 1)
        last = min(len(epoch.bodies), first + chooser.randrange(RUN_MAX))
        if first <= last:
            offers.append((sender, number, epoch.offer(first, last)))
    if not offers:
        return ""
    outcomes = world.inbox.accept([offer for _, _, offer in offers])
    for (sender, number, _), outcome in zip(offers, outcomes, strict=True):
        _require_taken(outcome)
        acked = outcome.ack.acked
        assert acked >= sender.acked[number], "what was acknowledged is forgotten"
        sender.acked[number] = acked
    return f"{len(offers)} runs arrive"


def send_all(world: World, chooser: Random) -> str:
    """A gateway comes back after days and sends everything."""
    sender = chooser.choice(world.senders)
    _drain(world, sender)
    return f"{sender.code} sends everything"


def let_time_pass(world: World, chooser: Random) -> str:
    """Minutes or days go by."""
    world.clock.time_ms += chooser.choice((60_000, 3_600_000, DAY_MS, 3 * DAY_MS))
    return "time passes"


def drain_all(world: World) -> None:
    """Everybody comes back and sends everything."""
    for sender in world.senders:
        _drain(world, sender)


def _drain(world: World, sender: Sender) -> None:
    for number, epoch in enumerate(sender.epochs):
        if sender.acked[number] < len(epoch.bodies):
            (outcome,) = world.inbox.accept([epoch.offer(sender.acked[number] + 1)])
            _require_taken(outcome)
            sender.acked[number] = outcome.ack.acked


def _require_taken(outcome: Outcome) -> None:
    """Fail unless a run was taken, or is known, or comes too early.

    A run that is about another warehouse from end to end is kept out until somebody enrols the
    gateway there, which nobody does here.
    """
    kept_out = outcome.kind == "quarantined" and outcome.ack.problem == "wrong_warehouse"
    assert kept_out or outcome.kind in {"accepted", "duplicate", "gap"}, outcome


def _quantity(chooser: Random, item: str) -> str:
    if item in KILOGRAMS and chooser.random() < 0.5:
        return f"{chooser.randrange(1, 30)}.{chooser.randrange(1, 1000):03d}".rstrip("0")
    return str(chooser.randrange(1, 30))


def _unit(chooser: Random, item: str) -> str:
    if item in KILOGRAMS:
        return chooser.choice(("KGM", "KGM", "KGM", "GRM", "LBR", "C62"))
    some = PART if item == "NUT" else "C62"
    return chooser.choice(("C62", "C62", "C62", some, "KGM"))


def _lot(chooser: Random, item: str) -> str:
    return chooser.choice(("L1", "L2", "")) if item == "WINE" else ""


def _time(world: World, chooser: Random) -> int:
    """Now, or when the gateway was offline; now and then its clock is ahead."""
    if chooser.random() < 0.75:
        return world.clock.time_ms
    return world.clock.time_ms + chooser.randrange(-20 * DAY_MS, DAY_MS // 24)


RULES = (
    (10, receive),
    (10, move_goods),
    (5, move_anything),
    (2, take_back),
    (2, say_other_things),
    (1, restart),
    (12, send),
    (2, send_all),
    (2, let_time_pass),
)
