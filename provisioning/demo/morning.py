"""The morning of two warehouses, as data: who scans what, and what must come of it. Pure."""

from decimal import Decimal

from central.contract.gs1 import check_digit, make_sscc
from provisioning.demo.actions import (
    Action,
    Converge,
    Cut,
    Mend,
    Provoked,
    PutWeight,
    ReadLabel,
    Scan,
    SignalKind,
    Step,
    command,
    place,
)
from provisioning.demo.goods import Goods, pallet_codes
from provisioning.demo.words import N_

SHANGHAI, HANGZHOU = "SH1", "HZ1"
SSCC_COMPANY_PREFIX = "9520000"
# Each warehouse gives SSCCs with an extension digit of its own: they share the company prefix.
SSCC_EXTENSION_DIGITS = {SHANGHAI: "0", HANGZHOU: "1"}
RICE_LOT, TEA_LOT, RESIN_LOT, SOY_LOT, NOODLE_LOT = "R2611A", "LJ0415", "PP-7741", "S1120", "N1118"
# A GTIN that nobody has entered; what is scanned is recorded all the same.
_STRANGE = "0952000099999"
STRANGE_GTIN = _STRANGE + check_digit(_STRANGE)

PROVOKED = (
    Provoked(HANGZHOU, "unknown_item", STRANGE_GTIN),
    Provoked(SHANGHAI, "unexpected", "PO-2601/BELT-A55"),
)


def morning(goods: Goods) -> tuple[Step, ...]:
    """Return the steps of the morning, in order."""
    return (
        Step(
            N_("Shanghai: Chen Wei scans his badge and purchase order PO-2601, then box by box"),
            _fasteners(goods),
        ),
        Step(
            N_(
                "Shanghai: a carton of belts that nobody ordered is recorded, and a difference told"
            ),
            _belts(goods),
        ),
        Step(
            N_("Shanghai: a tonne of rice is weighed in four loads; a moving load is not taken"),
            _rice(goods),
        ),
        Step(N_("Shanghai: tea with lot and expiry date completes the order"), _tea(goods)),
        Step(
            N_("Shanghai: a pallet label and two bin labels are printed and read back"),
            _labels(goods),
        ),
        Step(N_("Shanghai: the goods are put away, the rice into the silo"), _putaway(goods)),
        Step(
            N_("Hangzhou: plastic granules over the Modbus scale, soy sauce and noodles by scan"),
            _hangzhou(goods),
        ),
        Step(
            N_("Hangzhou: an item that nobody knows is recorded, put aside and told"),
            _stranger(),
        ),
        Step(
            N_("Shanghai is cut off from the network; scanning and printing go on"),
            _cut_off(goods),
        ),
        Step(
            N_("The network is back: the ledger takes what it missed, once and in order"),
            (Mend(SHANGHAI), Converge()),
        ),
    )


def sscc_of(warehouse: str, reference: int) -> str:
    """Return the SSCC that a warehouse's gateway gives as its first, second, third ..."""
    return make_sscc(
        extension_digit=SSCC_EXTENSION_DIGITS[warehouse],
        company_prefix=SSCC_COMPANY_PREFIX,
        serial_reference=reference,
    )


def _fasteners(goods: Goods) -> tuple[Action, ...]:
    bolts = _scan(SHANGHAI, goods.box("BOLT-M8X40"), facts_count=1)
    nuts = _scan(SHANGHAI, goods.box("NUT-M8"), facts_count=1, scanner=1)
    bearings = _scan(SHANGHAI, goods.box("BEARING-6204"), facts_count=1)
    return (
        Scan(SHANGHAI, "OPR-OP-101"),
        command(SHANGHAI, "CMD-RECEIVE"),
        Scan(SHANGHAI, "DOC-PO-2601"),
        *(bolts,) * 3,
        # The third box goes back to the lorry; it is taken back by a fact of its own.
        Scan(SHANGHAI, "CMD-UNDO", facts_count=1),
        *(bolts,) * 4,
        *(nuts,) * 3,
        *(bearings,) * 4,
    )


def _belts(goods: Goods) -> tuple[Action, ...]:
    belts = _scan(SHANGHAI, goods.each("BELT-A55"), signal="warning", facts_count=1)
    return belts, command(SHANGHAI, "CMD-DONE")


def _rice(goods: Goods) -> tuple[Action, ...]:
    loads = ("271.90", "268.20", "269.60", "266.70")
    return (
        command(SHANGHAI, "CMD-WEIGH"),
        Scan(SHANGHAI, "DOC-PO-2602"),
        _scan(SHANGHAI, goods.with_lot("RICE-JAPONICA", lot=RICE_LOT)),
        *_weighing(SHANGHAI, "18.40", loads[0], moves_first=True),
        *(action for load in loads[1:] for action in _weighing(SHANGHAI, "18.40", load)),
    )


def _tea(goods: Goods) -> tuple[Action, ...]:
    box = goods.with_lot("TEA-LJ-250", lot=TEA_LOT, expiry="280415", boxed=True)
    return (
        command(SHANGHAI, "CMD-RECEIVE"),
        Scan(SHANGHAI, "DOC-PO-2602"),
        *(_scan(SHANGHAI, box, facts_count=1),) * 2,
        command(SHANGHAI, "CMD-DONE"),
    )


def _labels(goods: Goods) -> tuple[Action, ...]:
    gtin, sscc = goods.gtin("TEA-LJ-250"), sscc_of(SHANGHAI, 1)
    return (
        command(SHANGHAI, "CMD-PRINT-PALLET"),
        command(SHANGHAI, "CMD-QTY-48"),
        _scan(SHANGHAI, goods.with_lot("TEA-LJ-250", lot=TEA_LOT)),
        ReadLabel(SHANGHAI, pallet_codes(gtin=gtin, count=48, lot=TEA_LOT, sscc=sscc)),
        command(SHANGHAI, "CMD-PRINT-BIN"),
        place(SHANGHAI, "A-01-01"),
        ReadLabel(SHANGHAI, ("LOC-A-01-01",)),
        place(SHANGHAI, "SILO-1"),
        ReadLabel(SHANGHAI, ("LOC-SILO-1",)),
    )


def _putaway(goods: Goods) -> tuple[Action, ...]:
    tea = goods.with_lot("TEA-LJ-250", lot=TEA_LOT, boxed=True)
    rice = goods.with_lot("RICE-JAPONICA", lot=RICE_LOT)
    return (
        command(SHANGHAI, "CMD-PUTAWAY"),
        *_store(SHANGHAI, goods.box("BOLT-M8X40"), times="6", to="A-01-01"),
        *_store(SHANGHAI, goods.box("NUT-M8"), times="3", to="A-01-02"),
        *_store(SHANGHAI, goods.box("BEARING-6204"), times="4", to="A-01-03"),
        *_store(SHANGHAI, tea, times="2", to="B-01-01"),
        *_store(SHANGHAI, rice, times="1002.8", to="SILO-1"),
        *_store(SHANGHAI, goods.each("BELT-A55"), times="1", to="QH-1"),
        command(SHANGHAI, "CMD-DONE"),
    )


def _hangzhou(goods: Goods) -> tuple[Action, ...]:
    resin = goods.with_lot("RESIN-PP-T30", lot=RESIN_LOT)
    carton = _scan(HANGZHOU, goods.box("CARTON-60"), facts_count=1)
    soy = goods.with_lot("SOY-LIGHT-500", lot=SOY_LOT, expiry="270930", boxed=True)
    noodles = goods.with_lot("NOODLE-BEEF", lot=NOODLE_LOT, expiry="270518", boxed=True)
    sscc = sscc_of(HANGZHOU, 1)
    return (
        Scan(HANGZHOU, "OPR-OP-201"),
        command(HANGZHOU, "CMD-WEIGH"),
        Scan(HANGZHOU, "DOC-PO-3601"),
        _scan(HANGZHOU, resin),
        *_weighing(HANGZHOU, "22.0", "423.5"),
        *_weighing(HANGZHOU, "22.0", "420.0"),
        command(HANGZHOU, "CMD-RECEIVE"),
        Scan(HANGZHOU, "DOC-PO-3601"),
        *(carton,) * 2,
        command(HANGZHOU, "CMD-DONE"),
        Scan(HANGZHOU, "DOC-PO-3602"),
        *(_scan(HANGZHOU, soy, facts_count=1, scanner=1),) * 10,
        *(_scan(HANGZHOU, noodles, facts_count=1),) * 10,
        command(HANGZHOU, "CMD-DONE"),
        command(HANGZHOU, "CMD-PRINT-PALLET"),
        command(HANGZHOU, "CMD-CONFIRM"),
        ReadLabel(HANGZHOU, (f"00{sscc}",)),
        command(HANGZHOU, "CMD-PUTAWAY"),
        *_store(HANGZHOU, resin, times="799.5", to="SILO-2"),
        *_store(HANGZHOU, goods.box("CARTON-60"), times="2", to="B-02-01"),
        *_store(HANGZHOU, noodles, times="10", to="A-02-02"),
    )


def _stranger() -> tuple[Action, ...]:
    return (
        command(HANGZHOU, "CMD-RECEIVE"),
        Scan(HANGZHOU, STRANGE_GTIN, symbology="]I1", signal="warning", facts_count=1),
        command(HANGZHOU, "CMD-DONE"),
    )


def _cut_off(goods: Goods) -> tuple[Action, ...]:
    def boxes(item: str, count: int) -> tuple[Action, ...]:
        return (_scan(SHANGHAI, goods.box(item), facts_count=1),) * count

    return (
        Cut(SHANGHAI),
        command(SHANGHAI, "CMD-RECEIVE"),
        Scan(SHANGHAI, "DOC-PO-2603"),
        *boxes("GLOVE-NIT-L", 6),
        *boxes("HELMET-WHT", 2),
        # The other warehouse notices nothing.
        command(HANGZHOU, "CMD-PUTAWAY"),
        *_store(
            HANGZHOU,
            goods.with_lot("SOY-LIGHT-500", lot=SOY_LOT, boxed=True),
            times="10",
            to="A-02-01",
        ),
        *boxes("TAPE-PACK-48", 2),
        command(SHANGHAI, "CMD-DONE"),
        command(SHANGHAI, "CMD-PRINT-BIN"),
        place(SHANGHAI, "B-02-03"),
        ReadLabel(SHANGHAI, ("LOC-B-02-03",)),
        command(SHANGHAI, "CMD-PUTAWAY"),
        *_store(SHANGHAI, goods.box("GLOVE-NIT-L"), times="6", to="B-02-03"),
    )


def _weighing(
    warehouse: str, tare_kg: str, gross_kg: str, *, moves_first: bool = False
) -> tuple[Action, ...]:
    tare, gross = Decimal(tare_kg), Decimal(gross_kg)
    refused: tuple[Action, ...] = ()
    if moves_first:
        refused = (
            PutWeight(warehouse, gross + 1, stable=False),
            command(warehouse, "CMD-CONFIRM", signal="error"),
        )
    return (
        PutWeight(warehouse, tare),
        command(warehouse, "CMD-TARE"),
        *refused,
        PutWeight(warehouse, gross),
        Scan(warehouse, "CMD-CONFIRM", facts_count=2),
        PutWeight(warehouse, Decimal(0)),
    )


def _store(warehouse: str, printed: tuple[str, str], *, times: str, to: str) -> tuple[Action, ...]:
    quantity = () if times == "1" else (command(warehouse, f"CMD-QTY-{times}"),)
    return (*quantity, _scan(warehouse, printed), place(warehouse, to, facts_count=1))


def _scan(
    warehouse: str,
    printed: tuple[str, str],
    *,
    signal: SignalKind = "success",
    facts_count: int = 0,
    scanner: int = 0,
) -> Scan:
    data, symbology = printed
    return Scan(
        warehouse,
        data,
        symbology=symbology,
        signal=signal,
        facts_count=facts_count,
        scanner=scanner,
    )
