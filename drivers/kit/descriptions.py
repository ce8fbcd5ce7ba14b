"""Readings as one line of text each, for captures, logs and test failures. Pure.

barcode ]C1 "010950110153000310ABC123\u001d17271231"
weight 12.500 KGM gross stable              weight -0.20 KGM net moving tare 1.20 alibi 17
tag 3074257BF7194E4000001A85 antenna 1 rssi -5500 phase 12 count 3 first 1 last 2 held
input confirm-button on CMD-CONFIRM
fault overload
"""

import json
import re
from decimal import Decimal
from typing import get_args

from drivers.readings import (
    BarcodeScanned,
    DeviceFault,
    FaultCode,
    InputChanged,
    Reading,
    WeightMeasured,
)

UNIT = re.compile(r"[A-Z0-9]{2,3}")  # As a UN/CEFACT code looks: "KGM", never "kg".


def describe(reading: Reading) -> str:
    """Return what a reading says, without its raw bytes and without the detail of a fault."""
    match reading:
        case BarcodeScanned():
            return f"barcode {reading.symbology or '-'} {json.dumps(reading.data)}"
        case WeightMeasured():
            state = "stable" if reading.stable else "moving"
            tare = "" if reading.tare is None else f" tare {reading.tare}"
            alibi = f" alibi {reading.device_alibi}" if reading.device_alibi else ""
            return f"weight {reading.value} {reading.unit} {reading.kind} {state}{tare}{alibi}"
        case InputChanged():
            code = f" {reading.code}" if reading.code else ""
            return f"input {reading.name} {'on' if reading.active else 'off'}{code}"
        case DeviceFault():
            return f"fault {reading.code}"
        case _:
            parts = [
                ("antenna", reading.antenna or None),
                ("rssi", reading.rssi_cdbm),
                ("phase", reading.phase),
                ("count", reading.reads_count),
                ("first", reading.first_seen_us),
                ("last", reading.last_seen_us),
            ]
            stated = "".join(f" {name} {value}" for name, value in parts if value is not None)
            return f"tag {reading.epc}{stated}{' held' if reading.held else ''}"


def is_value(text: str) -> bool:
    """Return True if this description is of a reading, False if it is of a fault."""
    return not text.startswith("fault ")


def is_sound(reading: Reading) -> bool:
    """Return True if a reading says only what the vocabulary allows; annotations prove nothing."""
    match reading:
        case WeightMeasured():
            value: object = reading.value
            if not isinstance(value, Decimal) or not value.is_finite():
                return False
            if not UNIT.fullmatch(reading.unit) or reading.kind not in {"gross", "net"}:
                return False
            return reading.raw != b""
        case BarcodeScanned():
            return reading.raw != b"" or reading.data == ""
        case DeviceFault():
            return reading.code in get_args(FaultCode)
        case _:
            return True
