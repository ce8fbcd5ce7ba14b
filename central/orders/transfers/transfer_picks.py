"""What the source of a transfer is to take where: its picks, and their numbers. Pure.

    line 1 of the transfer, 10: 6 of BIN-1 and 4 of BIN-2 are set aside
    document of the source      1: 6 at BIN-1      2: 4 at BIN-2 (the next number that is free)

The number of a line of the transfer always means that line, and the first pick of it has it; so a
transfer that is taken from one place for each line reads the same at both ends. What could not be
set aside stands under that number, too, and the picks of the line then have others. A number never
changes what it means.

Stations count by these numbers. What left under none of them (0) has filled lines of its item, of
which so much less is asked for; a line that it has filled is not told.
"""

from collections.abc import Iterable, Mapping, Sequence

from central.contract.reference import DocumentLine
from central.orders.document_progress import CountedKey, by_number, share_out
from central.orders.reserving.reservations import Reservation
from central.orders.sales.picking import NUMBER_MAX, Walk, pick_list
from central.orders.transfers.transfers import Figures, TransferLine, by_lines, document_line

NOTHING: Mapping[int, int] = {}


def lines_of_picks(rows: Iterable[Reservation]) -> dict[int, int]:
    """Return of which line of the transfer each number is that a pick has."""
    return {row.pick_line: row.holder.line for row in rows if row.pick_line}


def items_of_numbers(lines: Iterable[TransferLine], numbers: Mapping[int, int]) -> dict[int, str]:
    """Return of which item each number is. numbers: the line of each."""
    items = {line.line: line.item for line in lines}
    return {number: items[line] for number, line in numbers.items()}


def waits_micro(line: TransferLine, figures: Figures, rows: Iterable[Reservation]) -> int:
    """Return how much of a line neither left nor is set aside; below zero: so much too much is."""
    held_micro = sum(row.quantity_micro for row in rows if row.holder.line == line.line)
    return figures.lines[line.line].to_ship_micro - held_micro


def number_rows(
    lines: Sequence[TransferLine],
    figures: Figures,
    rows: Sequence[Reservation],
    walk: Walk,
    *,
    counted: Iterable[CountedKey],
) -> list[tuple[Reservation, int]]:
    """Return numbers for those rows that the source was never told of, in walking order.

    counted: what stations have counted, by its numbers.
    """
    whole = {line.line for line in lines if waits_micro(line, figures, rows) <= 0}
    free = whole - {row.pick_line for row in rows}
    said = [key.line for key in counted if key.line <= NUMBER_MAX]
    number = max([*(line.line for line in lines), *said, *(row.pick_line for row in rows)])
    numbers: list[tuple[Reservation, int]] = []
    for one in pick_list(rows, walk):
        if one.number:
            continue
        line = one.reservation.holder.line
        if line in free:
            free.remove(line)
            numbers.append((one.reservation, line))
        else:
            number += 1
            numbers.append((one.reservation, number))
    return numbers


def source_lines(
    lines: Sequence[TransferLine],
    rows: Iterable[Reservation],
    counted: Mapping[CountedKey, int],
    *,
    unasked: Mapping[int, int] = NOTHING,
) -> tuple[DocumentLine, ...]:
    """Return what the source works on, as much of each line as it asks for.

    counted: what left, by the numbers that stations know. unasked: of what left under each of them,
    what nobody asked for.
    """
    rows = tuple(rows)
    went: dict[int, int] = {}
    if counted:
        own = {line.line: line.line for line in lines}
        went = by_number(counted, items_of_numbers(lines, own | lines_of_picks(rows)))
        for number, quantity_micro in unasked.items():
            went[number] -= quantity_micro
    unnamed = _unnamed(lines, counted, lines_of_picks(rows))
    picks: dict[int, list[Reservation]] = {}
    for row in rows:
        if row.pick_line and (row.quantity_micro or row.shipped_micro):
            picks.setdefault(row.pick_line, []).append(row)
    asked = {line.line: line for line in lines}
    found: dict[int, DocumentLine] = {}
    others = dict.fromkeys(asked, 0)  # Of each line, what stands under further numbers.
    for number, some in sorted(picks.items()):
        line = asked[some[0].holder.line]
        quantity_micro = _quantity_micro(some, went.get(number, 0))
        if number != line.line and quantity_micro > 0:
            others[line.line] += quantity_micro
            found[number] = _pick(line, some, quantity_micro, number=number)
    for line in lines:
        some = picks.get(line.line, [])
        went_micro = went.get(line.line, 0)
        quantity_micro = line.quantity_micro - others[line.line] - unnamed.get(line.line, 0)
        if quantity_micro < went_micro and unnamed.get(line.line):
            # The line is full: what left under its number stays expected, what is too much not.
            quantity_micro = min(went_micro, line.quantity_micro - others[line.line])
        if quantity_micro <= 0:
            quantity_micro = went_micro
        if quantity_micro <= 0:
            continue
        if some and _quantity_micro(some, went_micro) >= quantity_micro:
            found[line.line] = _pick(line, some, quantity_micro)
        else:
            held = [row for row in some if row.quantity_micro]
            place = _chosen(held).stock.location if held else line.from_location
            found[line.line] = document_line(line, quantity_micro, lot=line.lot, location=place)
    return tuple(found[number] for number in sorted(found))


def _unnamed(
    lines: Sequence[TransferLine], counted: Mapping[CountedKey, int], picks: Mapping[int, int]
) -> dict[int, int]:
    """Return how much of each line what left under no number has filled; below zero: came back."""
    if all(key.line for key in counted):
        return {}
    expected = [line.expected for line in lines]
    done, _ = share_out(expected, by_lines(counted, picks))
    named = {key: quantity_micro for key, quantity_micro in counted.items() if key.line}
    told, _ = share_out(expected, by_lines(named, picks))
    return {line: done[line] - told[line] for line in done}


def _quantity_micro(rows: Sequence[Reservation], went_micro: int) -> int:
    return max(went_micro, 0) + sum(row.quantity_micro for row in rows)


def _chosen(rows: Sequence[Reservation]) -> Reservation:
    """Return where most of a pick still is; of what is gone, where it was."""
    return max(rows, key=lambda row: (row.quantity_micro, row.shipped_micro))


def _pick(
    line: TransferLine, rows: Sequence[Reservation], quantity_micro: int, *, number: int = 0
) -> DocumentLine:
    stock = _chosen(rows).stock
    return document_line(
        line,
        quantity_micro,
        lot=stock.lot,
        location=stock.location,
        sscc=stock.sscc,
        number=number,
    )
