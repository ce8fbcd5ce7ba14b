"""Where a ledger stood when it was copied. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptState:
    """generation: the ledger's life. record_no: its last fact. revision: of its schema."""

    generation: str
    record_no: int
    revision: str
