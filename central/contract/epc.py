"""EPC of an RFID tag (content of its EPC memory bank) to GS1 keys, and back. Pure.

    | header 8 | filter 3 | partition 3 | company prefix | reference | serial        | 0 ... 0 |
      scheme     what it    how many      20 to 40 bits    the rest    number or 7     up to a
                 is on      digits each                    of 44, 58,  bits for each   16 bit
                 (case ...)                                41 or 0     character       word

    scheme     header  reference bits, digits          serial                   element string
    SGTIN-96   30      44 - prefix    1 + partition    38 bits, number          (01) (21)
    SGTIN-198  36      44 - prefix    1 + partition    140 bits, 20 characters  (01) (21)
    SSCC-96    31      58 - prefix    5 + partition    none; 24 bits zero       (00)
    SGLN-96    32      41 - prefix    partition        41 bits, number          (414) (254)
    SGLN-195   39      41 - prefix    partition        140 bits, 20 characters  (414) (254)
    GRAI-96    33      44 - prefix    partition        38 bits, number          (8003)
    GRAI-170   37      44 - prefix    partition        112 bits, 16 characters  (8003)
    GIAI-96    34      none                            82 - prefix, number      (8004)
    GIAI-202   38      none                            188 - prefix, characters (8004)

Source: GS1 EPC Tag Data Standard, release 1.13: section 14.2 (headers), 14.3 (partition tables,
integer and string encoding, 7 bit characters of Annex A), 14.6 (the schemes); section 7 for the
element strings. The schemes of release 2 ("+", headers F0 to FB), GID, ADI and others are not
decoded: they stay hexadecimal, as do tag identifiers (E0, E2) and tags that nobody has encoded.
"""

import re
from dataclasses import dataclass
from typing import Literal

from central.contract.errors import ContractError
from central.contract.gs1 import CHARSET_82, Element, check_digit

EPC_HEX_CHARACTERS_MAX = 128  # 512 bits; the longest EPC that the protocol can carry has 496.
HEADER_BITS = 8
CHARACTER_BITS = 7
WORD_BITS = 16
COMPANY_BITS = (40, 37, 34, 30, 27, 24, 20)  # By partition; the prefix has 12 - partition digits.
COMPANY_DIGITS_MAX = 12
GIAI_CHARACTERS_MAX = 30

SchemeName = Literal[
    "sgtin-96",
    "sgtin-198",
    "sscc-96",
    "sgln-96",
    "sgln-195",
    "grai-96",
    "grai-170",
    "giai-96",
    "giai-202",
]

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Scheme:
    """One row of the table above.

    body_bits: company prefix and reference together, 0 if there is no reference.
    digits_extra: digits of the reference beyond the partition. serial_bits: with body_bits 0,
    company prefix and serial together.
    """

    name: SchemeName
    header: int
    bits: int
    body_bits: int
    digits_extra: int
    serial_bits: int
    serial_is_text: bool = False


_SCHEMES = (
    _Scheme("sgtin-96", 0x30, 96, 44, 1, 38),
    _Scheme("sgtin-198", 0x36, 198, 44, 1, 140, serial_is_text=True),
    _Scheme("sscc-96", 0x31, 96, 58, 5, 0),
    _Scheme("sgln-96", 0x32, 96, 41, 0, 41),
    _Scheme("sgln-195", 0x39, 195, 41, 0, 140, serial_is_text=True),
    _Scheme("grai-96", 0x33, 96, 44, 0, 38),
    _Scheme("grai-170", 0x37, 170, 44, 0, 112, serial_is_text=True),
    _Scheme("giai-96", 0x34, 96, 0, 0, 82),
    _Scheme("giai-202", 0x38, 202, 0, 0, 188, serial_is_text=True),
)
_BY_HEADER = {scheme.header: scheme for scheme in _SCHEMES}
_BY_NAME = {scheme.name: scheme for scheme in _SCHEMES}


@dataclass(frozen=True, slots=True)
class Gs1Epc:
    """A GS1 key on a tag.

    filter_value: 0 to 7, what the tag is on; for SGTIN 1 a unit, 2 a case, 6 a load (section 10).
    company_prefix: 6 to 12 digits. reference: the digits between prefix and check digit, as they
        are encoded: the indicator of a GTIN and the extension digit of an SSCC come first; "" for
        a GIAI. serial: "" for an SSCC; leading zeros exist only where it is text (198, 195, 170,
        202 bits).
    """

    scheme: SchemeName
    filter_value: int
    company_prefix: str
    reference: str
    serial: str

    @property
    def gtin(self) -> str:
        """Return the GTIN-14 of an SGTIN, "" of others."""
        return self._lead_digit_first() if self.scheme.startswith("sgtin") else ""

    @property
    def sscc(self) -> str:
        """Return the 18 digits of an SSCC, "" of others."""
        return self._lead_digit_first() if self.scheme.startswith("sscc") else ""

    @property
    def gln(self) -> str:
        """Return the GLN of a place (SGLN), "" of others; its extension is `serial`."""
        return self._checked() if self.scheme.startswith("sgln") else ""

    @property
    def grai(self) -> str:
        """Return the GRAI as AI (8003) has it: 0, 13 digits, serial; "" of others."""
        return f"0{self._checked()}{self.serial}" if self.scheme.startswith("grai") else ""

    @property
    def giai(self) -> str:
        """Return the GIAI as AI (8004) has it, "" of others."""
        return self.company_prefix + self.serial if self.scheme.startswith("giai") else ""

    @property
    def elements(self) -> tuple[Element, ...]:
        """Return the key as GS1 elements, e.g. (01) and (21)."""
        no_extension = self.serial == "0"  # Section 7.4: the place itself.
        found = (
            ("00", self.sscc),
            ("01", self.gtin),
            ("21", self.serial if self.gtin else ""),
            ("414", self.gln),
            ("254", self.serial if self.gln and not no_extension else ""),
            ("8003", self.grai),
            ("8004", self.giai),
        )
        return tuple(Element(ai, value) for ai, value in found if value)

    def _lead_digit_first(self) -> str:
        digits = self.reference[:1] + self.company_prefix + self.reference[1:]
        return digits + check_digit(digits)

    def _checked(self) -> str:
        digits = self.company_prefix + self.reference
        return digits + check_digit(digits)


@dataclass(frozen=True, slots=True)
class NotGs1Epc:
    """What a tag holds is no GS1 key that can be read here. epc: as it was given. reason: why."""

    epc: str
    reason: str


def decode_epc(epc: str) -> Gs1Epc | NotGs1Epc:
    """Return the key in the hexadecimal content of an EPC bank; never raises on any text.

    The content may end at the byte or at the 16 bit word after the last bit of its scheme; what is
    between must be zero. Nothing is guessed: a digit too many makes it no GS1 key.
    """
    if not epc or len(epc) > EPC_HEX_CHARACTERS_MAX or not _HEX.fullmatch(epc):
        return NotGs1Epc(epc, "not hexadecimal bytes, or too many or none")
    scheme = _BY_HEADER.get(int(epc[:2], 16))
    if scheme is None:
        return NotGs1Epc(epc, f"header {epc[:2].upper()} is none of a GS1 key")
    bits_count = len(epc) * 4
    if bits_count not in {_rounded_up(scheme.bits, 8), _rounded_up(scheme.bits, WORD_BITS)}:
        return NotGs1Epc(epc, f"{bits_count} bits are not those of {scheme.name}")
    value, padding = divmod(int(epc, 16), 1 << (bits_count - scheme.bits))
    if padding:
        return NotGs1Epc(epc, "the bits after the last one are not zero")
    try:
        return _decode(scheme, value)
    except ContractError as error:
        return NotGs1Epc(epc, str(error))


def encode_epc(epc: Gs1Epc) -> str:
    """Return the content of the EPC bank: upper case hexadecimal, whole 16 bit words.

    Raises ContractError for what does not fit, such as a 96 bit serial with leading zeros: it would
    come back without them.
    """
    scheme = _BY_NAME[epc.scheme]
    partition = COMPANY_DIGITS_MAX - len(epc.company_prefix)
    if not 0 <= partition < len(COMPANY_BITS):
        raise ContractError(f"a company prefix of {len(epc.company_prefix)} digits")
    if not 0 <= epc.filter_value <= 7:
        raise ContractError(f"filter value {epc.filter_value} is not 0 to 7")
    company_bits = COMPANY_BITS[partition]
    company = _digits_value(epc.company_prefix, COMPANY_DIGITS_MAX - partition)
    parts = [
        (scheme.header, HEADER_BITS),
        (epc.filter_value, 3),
        (partition, 3),
        (company, company_bits),
    ]
    if scheme.body_bits:
        reference = _digits_value(epc.reference, scheme.digits_extra + partition)
        parts.append((reference, scheme.body_bits - company_bits))
    elif epc.reference:
        raise ContractError(f"{scheme.name} has no reference")
    serial_bits = _serial_bits(scheme, company_bits)
    if scheme.serial_is_text:
        parts.append((_text_value(epc.serial, serial_bits), serial_bits))
    else:
        parts.append((_number_value(epc.serial, serial_bits), serial_bits))
    if len(epc.giai) > GIAI_CHARACTERS_MAX:
        raise ContractError(f"a GIAI of {len(epc.giai)} characters")
    value, count = 0, 0
    for part, part_bits in parts:
        value, count = value << part_bits | part, count + part_bits
    width = _rounded_up(scheme.bits, WORD_BITS)
    return f"{value << (width - count):0{width // 4}X}"


def _decode(scheme: _Scheme, value: int) -> Gs1Epc:
    rest_bits = scheme.bits - HEADER_BITS

    def take(bits_count: int) -> int:
        nonlocal rest_bits
        rest_bits -= bits_count
        return value >> rest_bits & ((1 << bits_count) - 1)

    filter_value, partition = take(3), take(3)
    if partition >= len(COMPANY_BITS):
        raise ContractError(f"partition {partition} does not exist")
    company_bits = COMPANY_BITS[partition]
    company_prefix = _digits(take(company_bits), COMPANY_DIGITS_MAX - partition)
    reference = ""
    if scheme.body_bits:
        digits_count = scheme.digits_extra + partition
        reference = _digits(take(scheme.body_bits - company_bits), digits_count)
    serial_bits = _serial_bits(scheme, company_bits)
    serial = ""
    if scheme.serial_is_text:
        serial = _text(take(serial_bits), serial_bits)
    elif serial_bits:
        serial = str(take(serial_bits))
    if rest_bits and take(rest_bits):
        raise ContractError("the reserved bits are not zero")
    epc = Gs1Epc(scheme.name, filter_value, company_prefix, reference, serial)
    if len(epc.giai) > GIAI_CHARACTERS_MAX:
        raise ContractError(f"a GIAI of {len(epc.giai)} characters")
    return epc


def _rounded_up(bits_count: int, to: int) -> int:
    return -(-bits_count // to) * to


def _serial_bits(scheme: _Scheme, company_bits: int) -> int:
    return scheme.serial_bits - (0 if scheme.body_bits else company_bits)


def _digits(value: int, digits_count: int) -> str:
    """Return a number with its leading zeros; the bits can hold more than the digits may say."""
    if value >= 10**digits_count:
        raise ContractError(f"{value} has more than {digits_count} digits")
    return f"{value:0{digits_count}d}" if digits_count else ""


def _digits_value(digits: str, digits_count: int) -> int:
    if len(digits) != digits_count or not ((digits.isascii() and digits.isdigit()) or not digits):
        raise ContractError(f"{digits[:40]!r} is not {digits_count} digits")
    return int(digits or "0")


def _number_value(serial: str, bits_count: int) -> int:
    if not bits_count and not serial:
        return 0
    plain = serial.isascii() and serial.isdigit() and (serial == "0" or serial[0] != "0")
    if not plain or len(serial) > COMPANY_DIGITS_MAX * 3 or int(serial) >= 1 << bits_count:
        raise ContractError(
            f"serial {serial[:40]!r} is no number of {bits_count} bits without leading zeros",
            hint="Use a tag with more memory and the scheme that keeps the serial as text.",
        )
    return int(serial)


def _text(value: int, bits_count: int) -> str:
    """Return 7 bit characters; the first zero ends them, and all behind it must be zero."""
    text = ""
    while bits_count >= CHARACTER_BITS and value:
        bits_count -= CHARACTER_BITS
        code, value = divmod(value, 1 << bits_count)
        text += chr(code)
    if value or not text or not CHARSET_82.fullmatch(text):
        raise ContractError("the serial has a character outside the GS1 set, or none")
    return text


def _text_value(serial: str, bits_count: int) -> int:
    if not serial or len(serial) * CHARACTER_BITS > bits_count or not CHARSET_82.fullmatch(serial):
        raise ContractError(
            f"serial {serial[:40]!r} is not 1 to {bits_count // CHARACTER_BITS} GS1 characters"
        )
    value = 0
    for character in serial:
        value = value << CHARACTER_BITS | ord(character)
    return value << (bits_count - len(serial) * CHARACTER_BITS)
