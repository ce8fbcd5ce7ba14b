"""Labels of print jobs as bytes, and back. Pure."""

from decimal import Decimal

import msgspec

from central.contract.errors import ContractError
from drivers.labels import (
    Box,
    Code128,
    Element,
    Gs1Code128,
    Gs1DataMatrix,
    Label,
    Line,
    Picture,
    Qr,
    Text,
)

# The names are stored: never rename one.
ELEMENT_TYPES: dict[str, type[Element]] = {
    "text": Text,
    "code128": Code128,
    "gs1_code128": Gs1Code128,
    "gs1_data_matrix": Gs1DataMatrix,
    "line": Line,
    "qr": Qr,
    "box": Box,
    "picture": Picture,
}
ELEMENT_NAMES = {element_type: name for name, element_type in ELEMENT_TYPES.items()}


class _StoredLabel(msgspec.Struct, frozen=True):
    width_mm: Decimal
    height_mm: Decimal
    elements: tuple[tuple[str, msgspec.Raw], ...]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_StoredLabel)


def encode_label(label: Label) -> bytes:
    """Return the bytes of a label; `decode_label` gives an equal one."""
    elements = tuple(
        (ELEMENT_NAMES[type(element)], msgspec.Raw(_encoder.encode(element)))
        for element in label.elements
    )
    return _encoder.encode(_StoredLabel(label.width_mm, label.height_mm, elements))


def decode_label(data: bytes) -> Label:
    """Return the label in bytes of this or an older version. Raises ContractError."""
    try:
        stored = _decoder.decode(data)
        elements = tuple(
            msgspec.msgpack.decode(element, type=ELEMENT_TYPES[name])
            for name, element in stored.elements
        )
    # AssertionError: a bitmap whose bytes do not fit its size.
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError, AssertionError) as error:
        raise ContractError(
            f"not a readable label: {error!r}", hint="Print the label anew."
        ) from error
    return Label(width_mm=stored.width_mm, height_mm=stored.height_mm, elements=elements)
