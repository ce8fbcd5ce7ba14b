"""Scales behind a Modbus register map: words to readings. Pure.

Weight and status are read in ONE request, so that they belong together:

    block_address                                   block_address + block_count - 1
      | status word | weight, 1 or 2 words | ...              |
      every bit of the status means what the map says

Addresses count from 0 as on the wire: register 40008 of a manual is address 7.

Source: Modbus application protocol 1.1b3 (at most 125 registers a read, exception codes). The
maps of instruments are in `scale_modbus_maps.py`.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from drivers.readings import DeviceFault, FaultCode, Reading, WeightMeasured

BLOCK_WORDS_MAX = 125
ADDRESSES_COUNT = 0x10000
DECIMALS_MAX = 6
STATUS_BITS_MAX = 16
WRITES_MAX = 4

UnitCode = Literal["KGM", "GRM", "TNE", "LBR", "ONZ", "MGM"]
NumberType = Literal["int16", "uint16", "int32", "uint32"]


class StatusBit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bit of the status word.

    bit: 0 is the least significant, 15 the most.
    is_true_when: "set", or "clear" for a bit that the device sets for the opposite.
    address: the register of the bit, where it is another one than the status word.
    """

    bit: int
    is_true_when: Literal["set", "clear"] = "set"
    address: int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for a bit that a word does not have."""
        if not 0 <= self.bit < STATUS_BITS_MAX:
            raise ValueError("expected 0 <= bit <= 15")


class ConstantWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Registers of the block that never change, for example the serial number.

    A block without them is not from this scale, or not from this request: it is refused.
    """

    address: int
    words: tuple[int, ...]


class RegisterWrite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words to write from `address` on, in one request (function 16)."""

    address: int
    words: tuple[int, ...]

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for what no request can carry."""
        if not 0 <= self.address <= 0xFFFF or not 1 <= len(self.words) <= BLOCK_WORDS_MAX:
            raise ValueError("expected an address from 0 to 65535 and at least one word")
        if not all(0 <= word <= 0xFFFF for word in self.words):
            raise ValueError("expected words from 0 to 65535")


class RegisterMap(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="name",
    tag="custom",
):
    """Where a device keeps its weight and what its status bits mean; in settings, name "custom".

    function: "holding" (function code 3) or "input" (4).
    block_address, block_count: the one block of registers that is read.
    weight_address: first register of the weight; weight_type: its form; word_order: "big" if the
        word of the higher value comes first.
    weight_kind: what the device keeps there.
    decimals_count: digits after the decimal point; the registers hold the weight without it.
    unit: UN/CEFACT Recommendation 20 code.
    status_address: register of the status word.
    stable: the bit that says that the load does not move.
    negative: the sign of a weight_type without sign; None if it is never negative.
    overload, underload, fault, not_ready: any of these bits means that there is no weight.
    other_settings: any of these bits means that the device is not set as this map says.
    constant: registers to compare, None for none.
    zero, tare, clear_tare: what to write, in this order, for that command; () if it has none.
    """

    function: Literal["holding", "input"] = "holding"
    block_address: int
    block_count: int
    weight_address: int
    weight_type: NumberType
    word_order: Literal["big", "little"] = "big"
    weight_kind: Literal["gross", "net"] = "gross"
    decimals_count: int
    unit: UnitCode
    status_address: int
    stable: StatusBit
    negative: StatusBit | None = None
    overload: tuple[StatusBit, ...] = ()
    underload: tuple[StatusBit, ...] = ()
    fault: tuple[StatusBit, ...] = ()
    not_ready: tuple[StatusBit, ...] = ()
    other_settings: tuple[StatusBit, ...] = ()
    constant: ConstantWords | None = None
    zero: tuple[RegisterWrite, ...] = ()
    tare: tuple[RegisterWrite, ...] = ()
    clear_tare: tuple[RegisterWrite, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for a map that contradicts itself."""
        if not 0 <= self.block_address <= 0xFFFF:
            raise ValueError("expected 0 <= block_address <= 65535")
        if not 1 <= self.block_count <= BLOCK_WORDS_MAX:
            raise ValueError(f"expected 1 <= block_count <= {BLOCK_WORDS_MAX}")
        if self.block_address + self.block_count > ADDRESSES_COUNT:
            raise ValueError(f"expected block_address + block_count <= {ADDRESSES_COUNT}")
        if not 0 <= self.decimals_count <= DECIMALS_MAX:
            raise ValueError(f"expected 0 <= decimals_count <= {DECIMALS_MAX}")
        if self.negative is not None and self.weight_type.startswith("int"):
            raise ValueError("expected no `negative` bit: this weight_type has its own sign")
        if max(len(self.zero), len(self.tare), len(self.clear_tare)) > WRITES_MAX:
            raise ValueError(f"expected at most {WRITES_MAX} writes for a command")
        constant = self.constant or ConstantWords(self.status_address, (0,))
        for what, address, count in (
            ("weight_address", self.weight_address, self.weight_words_count),
            ("status_address", self.status_address, 1),
            ("constant.address", constant.address, len(constant.words)),
            *(("the address of a bit", address, 1) for address in self._other_addresses()),
        ):
            start = address - self.block_address
            if not 0 <= start <= start + count <= self.block_count or count == 0:
                raise ValueError(f"expected {what} and its words within the block")
        weight = range(self.weight_address, self.weight_address + self.weight_words_count)
        if any(one in weight for one in (self.status_address, *self._other_addresses())):
            raise ValueError("expected the weight and the status in different registers")
        if not all(0 <= word <= 0xFFFF for word in constant.words):
            raise ValueError("expected words from 0 to 65535 in constant")

    @property
    def weight_words_count(self) -> int:
        return 2 if self.weight_type.endswith("32") else 1

    def bits(self) -> tuple[StatusBit, ...]:
        """Return every bit that the map gives a meaning."""
        lists = (self.overload, self.underload, self.fault, self.not_ready, self.other_settings)
        sign = () if self.negative is None else (self.negative,)
        return (self.stable, *sign, *(bit for bits in lists for bit in bits))

    def _other_addresses(self) -> list[int]:
        return [bit.address for bit in self.bits() if bit.address is not None]


def interpret_block(register_map: RegisterMap, words: tuple[int, ...]) -> Reading:
    """Return the weight in a block of words, or the fault that stands in its place.

    `raw` is the words, two bytes each, high byte first, as on the wire. Never raises for words of
    16 bits, however many.
    """
    raw = b"".join(word.to_bytes(2, "big") for word in words)
    if len(words) != register_map.block_count:
        detail = f"{len(words)} registers instead of {register_map.block_count}"
        return DeviceFault("unreadable", detail, raw)
    if register_map.constant is not None:
        start = register_map.constant.address - register_map.block_address
        found = words[start : start + len(register_map.constant.words)]
        if found != register_map.constant.words:
            return DeviceFault("unreadable", f"another device's registers: {found}", raw)
    if (code := _fault_code(register_map, words)) is not None:
        status = words[register_map.status_address - register_map.block_address]
        return DeviceFault(code, f"status word {status:#06x}", raw)
    start = register_map.weight_address - register_map.block_address
    number = _number(register_map, words[start : start + register_map.weight_words_count])
    if register_map.negative is not None and _is_true(register_map, register_map.negative, words):
        number = -number
    return WeightMeasured(
        value=Decimal(number).scaleb(-register_map.decimals_count),
        unit=register_map.unit,
        kind=register_map.weight_kind,
        stable=_is_true(register_map, register_map.stable, words),
        raw=raw,
    )


def interpret_refusal(exception_code: int) -> DeviceFault:
    """Return the fault for an answer that is a Modbus exception code instead of words."""
    meaning = _EXCEPTIONS.get(exception_code, "unknown exception code")
    return DeviceFault("not_ready", f"Modbus exception {exception_code}: {meaning}")


_EXCEPTIONS = {
    1: "the device does not know this function; try the other one, holding or input",
    2: "the device has no such address; check block_address and block_count",
    3: "the device does not give so many registers; check block_count",
    4: "the device failed",
    6: "the device is busy",
    10: "the gateway has no path to the device",
    11: "no answer from the device behind the gateway; check device_id",
}


def _fault_code(register_map: RegisterMap, words: tuple[int, ...]) -> FaultCode | None:
    """Return the gravest fault of the status; None if the weight holds."""
    bits_by_code: tuple[tuple[FaultCode, tuple[StatusBit, ...]], ...] = (
        ("unreadable", register_map.other_settings),
        ("zero_error", register_map.fault),
        ("overload", register_map.overload),
        ("underload", register_map.underload),
        ("not_ready", register_map.not_ready),
    )
    for code, bits in bits_by_code:
        if any(_is_true(register_map, bit, words) for bit in bits):
            return code
    return None


def _is_true(register_map: RegisterMap, bit: StatusBit, words: tuple[int, ...]) -> bool:
    address = register_map.status_address if bit.address is None else bit.address
    word = words[address - register_map.block_address]
    return bool(word >> bit.bit & 1) == (bit.is_true_when == "set")


def _number(register_map: RegisterMap, words: tuple[int, ...]) -> int:
    high_first = words if register_map.word_order == "big" else words[::-1]
    data = b"".join(word.to_bytes(2, "big") for word in high_first)
    return int.from_bytes(data, "big", signed=register_map.weight_type.startswith("int"))
