"""How fast each protocol reads its captures, against 200 times its fastest real line. Root.

One capture's bytes are fed over and over in pieces of 4096 bytes, as a transport reads them. The
bound is 20 MB/s or 200 times the line, whichever is less.
"""

import time
from pathlib import Path

from drivers.kit.captures import Capture, parse_capture
from drivers.kit.conformance import protocol_of
from drivers.registry import load_driver
from tests.bench.figures import Ratio

CAPTURES = Path(__file__).parents[1] / "captures"
PIECE_BYTES = 4096
STREAM_BYTES = 1024 * 1024
ROUNDS = 3
LIMIT_BYTES_PER_S = 20_000_000
TIMES_THE_LINE = 200
SERIAL_BYTES_PER_S = 11_520  # 115,200 baud, 8N1: no scale or scanner of these families is faster.
LINES_BYTES_PER_S = {
    "scanner-hidraw": 64_000,  # One report of 64 bytes a millisecond, full speed USB.
    "scale-hidraw": 6_000,  # One report of 6 bytes a millisecond.
    "scanner-evdev": 32_000,  # 1000 characters a second, four records of 8 bytes each.
    "llrp-tcp": 90_000,  # 1500 reads a second of 60 bytes.
    "impinj-iot": 450_000,  # 1500 reads a second of 300 bytes of JSON.
}


def measure() -> list[Ratio]:
    """Return for each protocol its speed as a multiple of what is asked of it."""
    return [_measured(name, capture) for name, capture in sorted(_largest().items())]


def _largest() -> dict[str, Capture]:
    """Return for each driver its capture with the most good readings for its bytes."""
    found: dict[str, Capture] = {}
    for path in sorted(CAPTURES.rglob("*.capture")):
        capture = parse_capture(path.read_text(encoding="utf-8"))
        name = capture.driver
        if name not in found or _good(capture) > _good(found[name]):
            found[name] = capture
    return {name: capture for name, capture in found.items() if _good(capture)}


def _good(capture: Capture) -> int:
    return sum(
        step.kind == "expected" and not step.text.startswith("fault") for step in capture.steps
    )


def _stream(capture: Capture) -> tuple[bytes, bytes]:
    """Return what comes once, and the bytes up to each good reading over and over.

    Faults and pauses are left out. Once comes a HID device's descriptor, the first record.
    """
    kept, run, good = b"", b"", False
    for step in (*capture.steps, None):
        if step is not None and step.kind == "expected":
            good = not step.text.startswith("fault")
            continue
        if good:
            kept += run
        if good or (step is not None and step.kind in {"sent", "pause"}):
            run, good = b"", False
        if step is not None and step.kind == "received":
            run += step.data
    head = 3 + int.from_bytes(kept[1:3], "little") if capture.driver.endswith("-hidraw") else 0
    kept, once = kept[head:], kept[:head]
    return once, kept * max(1, STREAM_BYTES // len(kept))


def _measured(name: str, capture: Capture) -> Ratio:
    head, stream = _stream(capture)
    pieces = [stream[at : at + PIECE_BYTES] for at in range(0, len(stream), PIECE_BYTES)]
    best_s, readings_count = float("inf"), 0
    for _ in range(ROUNDS):
        protocol = protocol_of(load_driver(name), capture)()
        protocol.receive_data(head)
        started_s = time.perf_counter()
        readings_count = sum(len(protocol.receive_data(piece)) for piece in pieces)
        best_s = min(best_s, time.perf_counter() - started_s)
    speed = len(stream) / best_s
    line = LINES_BYTES_PER_S.get(name, SERIAL_BYTES_PER_S)
    wanted = min(LIMIT_BYTES_PER_S, TIMES_THE_LINE * line)
    detail = (
        f"{speed / 1e6:.1f} MB/s, {best_s / max(1, readings_count) * 1e6:.2f} us a reading of "
        f"{len(stream) // max(1, readings_count)} bytes; wanted {wanted / 1e6:.1f} MB/s"
    )
    return Ratio(f"parse-{name}", speed / wanted, detail, at_least=1.0)
