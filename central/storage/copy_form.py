"""The binary form of PostgreSQL's COPY. Pure.

    PGCOPY 0a ff 0d 0a 00 | flags 4 | extension 4 | rows | ff ff
    row:  count of fields 2 | length 4, bytes | length 4, bytes | ...

(postgresql.org/docs/15/sql-copy.html, "Binary Format"; integers in network order.) psycopg makes it
from any rows; where most of a row is the same for many, joining parts is quicker.
"""

import struct

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
LENGTH_8 = (8).to_bytes(4)

two_bytes = struct.Struct(">h").pack
four_bytes = struct.Struct(">i").pack
eight_bytes = struct.Struct(">q").pack


def text_field(text: str) -> bytes:
    """Return a field of text with its length."""
    data = text.encode()
    return four_bytes(len(data)) + data
