"""What devices report: the vocabulary between drivers and everything behind them. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import msgspec

FaultCode = Literal[
    "overload",  # The load exceeds the scale's maximum.
    "underload",  # The load is under zero: pan missing, or tare greater than the load.
    "not_ready",  # The scale cannot answer now: no stable weight in its own time limit, busy.
    "zero_error",  # The scale is not zeroed, not calibrated or in an error state of its own.
    "unreadable",  # Bytes that no rule of the protocol explains; nothing was guessed.
    "scan_again",  # Part of a scan was lost on the way; the code must be scanned once more.
    "reader_error",  # An RFID reader reports an error of its own: an antenna, its temperature.
    "reads_lost",  # An RFID reader's memory overflowed; tags that passed are missing.
]


@dataclass(frozen=True, slots=True)
class BarcodeScanned:
    """One bar code, exactly as the scanner sent it.

    symbology: AIM identifier (ISO/IEC 15424) such as "]C1"; "" when the scanner does not send one.
    data: the message without AIM identifier and terminator; FNC1 separators are GS (0x1D).
    raw: the bytes of the frame as received, for evidence.
    """

    symbology: str
    data: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class WeightMeasured:
    """One weight from a scale, exactly as the scale stated it.

    value: decimal digits as sent; the scale's own resolution is kept ("1.50" is not "1.5").
    unit: UN/CEFACT Recommendation 20 code (KGM, GRM, TNE, LBR, ONZ, MGM).
    kind: "gross" or "net"; a scale that does not say is "gross".
    stable: False while the load is in motion. Only stable weights may become movements.
    raw: the bytes of the frame as received, for evidence.
    device_alibi: the scale's own number of this weighing in its alibi memory, "" if it has none.
    tare: the tare that the scale states beside a net weight, in the same unit; None if it does not.
    """

    value: Decimal
    unit: str
    kind: Literal["gross", "net"]
    stable: bool
    raw: bytes
    device_alibi: str = ""
    tare: Decimal | None = None


class TagRead(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What an RFID reader says of one tag on one antenna. A Struct: thousands come in a second.

    epc: content of the EPC memory bank, upper case hexadecimal, whole bytes.
    antenna: the reader's number of the antenna, from 1; 0 if it does not say.
    rssi_cdbm: strongest signal in hundredths of dBm; None if the reader gives none, or no dBm.
    phase: of the strongest signal, in 1/4096 of a turn; None if the reader does not say.
    reads_count: how often the tag answered in the time that this report covers.
    first_seen_us, last_seen_us: microseconds since 1970-01-01 UTC by the reader's clock, which may
        be wrong; None if it does not say.
    held: the reader had kept the report while nobody was connected.
    raw: the bytes of the report as received, for evidence.
    """

    epc: str
    antenna: int = 0
    rssi_cdbm: int | None = None
    phase: int | None = None
    reads_count: int = 1
    first_seen_us: int | None = None
    last_seen_us: int | None = None
    held: bool = False
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class InputChanged:
    """A button, a light barrier or another input changed.

    name: as the device's settings call it. active: True when pressed, broken, closed.
    code: the text of a bar code that the settings put in its place, such as "CMD-CONFIRM"; "" none.
    """

    name: str
    active: bool
    code: str = ""
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class DeviceFault:
    """The device said that something is wrong, or sent bytes that cannot be read.

    Never carries a value: a failed scale yields no weight, a lost key no bar code.
    detail: what exactly, in English, for the log; people read the text of `code` in their language.
    """

    code: FaultCode
    detail: str
    raw: bytes = b""


Reading = BarcodeScanned | WeightMeasured | TagRead | InputChanged | DeviceFault

PrinterCondition = Literal[
    "ready",
    "paper_out",
    "ribbon_out",
    "head_open",
    "paused",
    "busy",
    "over_temperature",
    "error",
    "silent",  # Nothing answered: off, cable, or an error state in which the printer is mute.
]

PrinterWarning = Literal["paper_low", "ribbon_low"]


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What a label printer says of itself.

    conditions: ("ready",) alone, or every reason that stops it, gravest first; never empty.
    warnings: what will stop it soon; it prints as yet.
    formats_waiting_count, labels_left_count: None where the printer does not say.
    """

    conditions: tuple[PrinterCondition, ...]
    formats_waiting_count: int | None = None
    labels_left_count: int | None = None
    raw: bytes = b""
    warnings: tuple[PrinterWarning, ...] = ()

    @property
    def ready(self) -> bool:
        """True if a label sent now would be printed."""
        return self.conditions == ("ready",)


@dataclass(frozen=True, slots=True)
class PrintResult:
    """What became of one label job.

    outcome: "printed" (the printer confirmed), "sent" (all bytes taken, no confirmation to be had),
        "failed" (certainly nothing was printed; safe to retry), "unknown" (some bytes may have been
        printed; only a person can tell, never repeat it unasked).
    condition: what the printer reported when the outcome is not "printed"; None if it said nothing.
    detail: English, for the log.
    """

    outcome: Literal["printed", "sent", "failed", "unknown"]
    detail: str
    condition: PrinterCondition | None = None
