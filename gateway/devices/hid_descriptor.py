"""What a HID device is, from its report descriptor: usages of its top level collections. Pure.

    item:  tag (4 bits) type (2 bits) size (2 bits: 0, 1, 2 or 4 bytes) | data, little-endian
    0x05 usage page (global)   0x09 usage (local)   0xA1 collection   0xC0 end   0xFE long item

Source: USB Device Class Definition for Human Interface Devices 1.11, sections 5.3 and 6.2.2.
"""

DESCRIPTOR_BYTES_MAX = 4096  # HID_MAX_DESCRIPTOR_SIZE of <linux/hid.h>.
COLLECTIONS_MAX = 32
USAGE_PAGE, USAGE, COLLECTION, END_COLLECTION, LONG_ITEM = 0x04, 0x08, 0xA0, 0xC0, 0xFE
MAIN_TYPE = 0


def top_level_usages(descriptor: bytes) -> tuple[tuple[int, int], ...]:
    """Return (page, usage) of each top level collection, in order; any bytes give some answer."""
    found: list[tuple[int, int]] = []
    page, usage, depth, place = 0, 0, 0, 0
    descriptor = descriptor[:DESCRIPTOR_BYTES_MAX]
    while place < len(descriptor) and len(found) < COLLECTIONS_MAX:
        prefix = descriptor[place]
        if prefix == LONG_ITEM:
            length = descriptor[place + 1] if place + 1 < len(descriptor) else 0
            place += 3 + length
            continue
        size = (0, 1, 2, 4)[prefix & 0x03]
        value = int.from_bytes(descriptor[place + 1 : place + 1 + size], "little")
        tag = prefix & 0xFC
        if tag == USAGE_PAGE:
            page = value
        elif tag == USAGE:
            # Four bytes carry their own page in the upper half (section 6.2.2.8).
            usage = value if size == 4 else page << 16 | value
        elif tag == COLLECTION:
            if depth == 0:
                found.append((usage >> 16, usage & 0xFFFF))
            depth += 1
        elif tag == END_COLLECTION:
            depth = max(0, depth - 1)
        if (prefix >> 2) & 0x03 == MAIN_TYPE:
            usage = 0  # Local items end with the next main item (section 6.2.2.8).
        place += 1 + size
    return tuple(found)
