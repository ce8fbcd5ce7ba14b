"""Movements and reference data for measurements of the replication. Pure."""

from central.contract.facts import Movement
from gateway.clock import Clock
from gateway.station.effects import UNNUMBERED

SITE, WAREHOUSE, PLACE = "yard", "SH1", "DOCK-1"
ITEMS = 200
BOOT_ID = "0b1f0c2d-4e6a-484f-9f5f-3c0a7e1b2c3d"


def reference_toml() -> bytes:
    """Return reference data that knows every item and place."""
    items = "\n".join(
        f'[[items]]\ncode = "ITEM-{number:04d}"\nname = "Item {number}"\n'
        f'name_zh = "物料 {number}"\nunit = "C62"\n'
        for number in range(ITEMS)
    )
    return (
        'revision = 1\n[[warehouses]]\ncode = "SH1"\nname = "Shanghai"\nname_zh = "上海"\n'
        f'locations = [{{ code = "{PLACE}", kind = "dock_door" }}]\n{items}'
    ).encode()


def movements(count: int, *, seed: int) -> list[Movement]:
    """Return receipts as a person scans them: a second or two apart, many items."""
    import random  # Here: the gateway whose memory is measured makes only one movement.

    draw = random.Random(seed)
    event_ms, monotonic_ns = 1_790_000_000_000, 10**12
    found = []
    for _ in range(count):
        pause_ms = 300 + int(draw.expovariate(1 / 2000))
        event_ms += pause_ms
        monotonic_ns += pause_ms * 1_000_000 + draw.randrange(10**6)
        item = f"ITEM-{draw.randrange(ITEMS):04d}"
        found.append(_movement(item, str(draw.choice((1, 1, 1, 12))), event_ms, monotonic_ns))
    return found


def live_movement(clock: Clock) -> Movement:
    """Return a receipt of this moment."""
    return _movement("ITEM-0001", "1", clock.now_ms(), clock.monotonic_ns())


def _movement(item: str, quantity: str, event_ms: int, monotonic_ns: int) -> Movement:
    return Movement(
        seq=UNNUMBERED,
        event_time_ms=event_ms,
        clock_synced=True,
        boot_id=BOOT_ID,
        monotonic_ns=monotonic_ns,
        warehouse=WAREHOUSE,
        station="DOCK-1",
        operator="OP7",
        business_step="receiving",
        from_location="supplier",
        to_location=PLACE,
        item=item,
        quantity=quantity,
        unit="C62",
    )
