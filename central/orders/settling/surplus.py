"""What may fill a balance below zero, and in what words that is proposed. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from central.orders.catalogue.packs import text_of
from central.orders.settling.settlements import Decision


@dataclass(frozen=True, slots=True)
class Surplus:
    """A place that has of the same goods. lot, sscc: its own; sscc "" outside of units."""

    location: str
    lot: str
    sscc: str
    on_hand_micro: int


def fillings(
    surplus: Sequence[Surplus], *, missing_micro: int, lot: str, sscc: str, unit: str
) -> Iterator[tuple[Decision, str]]:
    """Yield what takes missing goods from where there are some, and why, in the order given.

    lot, sscc: of what is missing. One that has too few fills what it can, and says what it leaves.
    """
    for one in surplus:
        other_lot = None if one.lot == lot else one.lot
        other_sscc = None if one.sscc == sscc else one.sscc
        taken_micro = min(missing_micro, one.on_hand_micro)
        decision = Decision(
            action="reassign",
            location=one.location,
            lot=other_lot,
            sscc=other_sscc,
            quantity_micro=taken_micro,
        )
        has = f"{one.location} has {text_of(one.on_hand_micro)} {unit}"
        of_lot = f" of lot {one.lot or 'none'}" if other_lot is not None else ""
        why = f"{has}{of_lot}: they may have been taken from there."
        if other_sscc is not None:
            where = f"in unit {one.sscc}" if one.sscc else "outside of units"
            why = f"{has}{of_lot} {where}: they may have been taken out of that."
        if taken_micro < missing_micro:
            why += (
                f" {text_of(missing_micro - taken_micro)} {unit} stay missing, and it stays open."
            )
        yield decision, why


def why_adjusted(location: str, missing: str, *, count: str) -> str:
    """Return in words why a balance is to be counted. count: which one of it is off now, or ""."""
    if count:
        late = f"{count} counted {location}, and something came late for it"
        return f"{late}: the book alone lacks {missing}."
    return f"Count {location}: {missing} are missing in the book."


def why_unfilled(location: str, amount: str, *, document: str) -> tuple[str, str]:
    """Return in words why what filled a balance is taken back, and why it may stay.

    document: the transfer of which it is what is under way, "" of a place.
    """
    if document:
        why = f"Take {amount} back that were found of {document}: its facts tell of them by now."
        return why, f"Leave it so: {amount} are under way until {document} is closed with a reason."
    why = f"Take {amount} back that filled {location}: as much came after all."
    return why, f"Leave it so, if {amount} more are there: count {location}."
