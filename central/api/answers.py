"""Turns rows of the read side into the bodies of answers. Pure."""

import base64

from pydantic import JsonValue, TypeAdapter

from central.api.models import (
    DeviceOut,
    EpochOut,
    EvidenceOut,
    FactOut,
    GatewayOut,
    MovementOut,
    StockOut,
    StockTotalOut,
    WorkerOut,
    WorkersOut,
)
from central.contract.facts import (
    Evidence,
    Movement,
    Passage,
    Reversal,
    Weighing,
    fact_fields,
    kind_of,
)
from central.contract.identifiers import FactId, fact_uuid, parse_epoch
from central.contract.quantities import canonical_text
from central.stock.rows import GatewayRow, MovementRow, StockRow, Workers
from central.stock.times import utc_text
from central.stock.total_rows import StockTotal

_stated = TypeAdapter(dict[str, JsonValue])


def stock_out(row: StockRow) -> StockOut:
    """Return one balance."""
    return StockOut(
        warehouse=row.key.warehouse,
        location=row.key.location,
        item=row.key.item,
        item_name=row.item_name,
        item_name_zh=row.item_name_zh,
        lot=row.key.lot,
        serial=row.key.serial,
        sscc=row.key.sscc,
        unit=row.key.unit,
        status=row.key.status,
        on_hand=canonical_text(row.on_hand),
        weight=canonical_text(row.weight),
    )


def total_out(row: StockTotal) -> StockTotalOut:
    """Return one total."""
    return StockTotalOut(
        warehouse=row.key.warehouse,
        item=row.key.item,
        item_name=row.name,
        item_name_zh=row.name_zh,
        unit=row.key.unit,
        status=row.key.status,
        places_count=row.places_count,
        on_hand=canonical_text(row.on_hand),
        weight=canonical_text(row.weight),
    )


def movement_out(row: MovementRow) -> MovementOut:
    """Return one fact."""
    fact = row.fact
    out = MovementOut(
        record_no=row.record_no,
        id=str(row.fact_id),
        uuid=str(fact_uuid(row.fact_id)),
        gateway=row.fact_id.gateway,
        epoch=str(row.fact_id.epoch),
        seq=row.fact_id.seq,
        kind=kind_of(fact),
        posted=row.posted,
        event_time=utc_text(row.event_time_ms),
        stated_time=utc_text(fact.event_time_ms),
        time_source=row.time_source,
        clock_synced=fact.clock_synced,
        record_time=utc_text(row.record_time_ms),
        warehouse=fact.warehouse,
        station=fact.station,
        operator=fact.operator,
        item_name=row.item_name,
        item_name_zh=row.item_name_zh,
        flags=list(fact.flags),
        evidence=[_evidence_out(evidence) for evidence in fact.evidence],
        digest=row.digest.hex(),
    )
    if isinstance(fact, Movement):
        return _with_movement(out, fact, fact_id=row.fact_id)
    if isinstance(fact, Weighing):
        return out.model_copy(
            update={
                "business_step": "weighing",
                "item": fact.item,
                "lot": fact.lot,
                "quantity": fact.net,
                "unit": fact.unit,
                "document": fact.document,
                "document_line": fact.document_line,
            }
        )
    if isinstance(fact, Passage):
        return _with_passage(out, fact)
    if isinstance(fact, Reversal):
        return _with_reversal(out, fact, row.taken_back)
    return out


def fact_out(row: MovementRow) -> FactOut:
    """Return one fact with everything that its gateway stated."""
    return FactOut(
        **movement_out(row).model_dump(),
        fact=_stated.validate_python(fact_fields(row.fact)),
        canonical_base64=base64.b64encode(row.raw).decode(),
    )


def gateway_out(row: GatewayRow, *, now_ms: int) -> GatewayOut:
    """Return how one gateway is at a moment."""
    return GatewayOut(
        gateway=row.code,
        site=row.site,
        warehouse=row.warehouse,
        online=row.online,
        last_seen=utc_text(row.seen_time_ms) if row.seen_time_ms else None,
        epoch=row.epoch,
        head_seq=row.head_seq,
        acked_seq=row.acked_seq,
        unsent_count=row.unsent_count,
        lag_count=row.lag_count,
        lag_s=row.lag_s(now_ms=now_ms),
        lost_count=row.lost_count,
        told_age_s=row.told_age_s(now_ms=now_ms) if row.told_time_ms else None,
        clock_synced=row.clock_synced,
        forks_count=row.forks_count,
        stream=row.stream,
        notice=row.notice,
        stock_revision=row.stock_revision,
        reference_revision=row.reference_revision,
        known_age_s=row.known_age_s(now_ms=now_ms),
        disk_used_percent=row.disk_used_percent,
        written_bytes_day=row.written_bytes_day,
        shed_count=row.shed_count,
        failed_release=row.failed_release,
        failed_reason=row.failed_reason,
        problem=row.problem,
        software=row.software,
        devices=[
            DeviceOut(
                name=device.name,
                device_class=device.device_class,
                state=device.state,
                problem=device.problem,
                detail=device.detail,
            )
            for device in row.devices
        ],
        positions=[
            EpochOut(
                epoch=position.epoch,
                acked_seq=position.acked_seq,
                record_time=utc_text(position.record_time_ms),
            )
            for position in row.positions
        ],
    )


def workers_out(workers: Workers, *, next_cursor: str | None) -> WorkersOut:
    """Return a page of who takes facts."""
    return WorkersOut(
        workers=[
            WorkerOut(
                worker=row.name,
                alive=row.alive,
                shards=list(row.shards),
                software=row.software,
                last_seen=utc_text(row.seen_time_ms),
            )
            for row in workers.rows
        ],
        unserved_shards=list(workers.unserved),
        next_cursor=next_cursor,
    )


def escaped(raw: bytes) -> str:
    """Return a device's bytes as printable ASCII; what is not printable is escaped."""
    return raw.decode("latin-1").encode("unicode_escape").decode("ascii")


def _evidence_out(evidence: Evidence) -> EvidenceOut:
    return EvidenceOut(
        device=evidence.device,
        kind=evidence.kind,
        symbology=evidence.symbology,
        raw=escaped(evidence.raw),
        raw_base64=base64.b64encode(evidence.raw).decode(),
    )


def _with_movement(out: MovementOut, fact: Movement, *, fact_id: FactId) -> MovementOut:
    weighing = None
    if fact.weighing_seq:
        weighing = FactId(gateway=fact_id.gateway, epoch=fact_id.epoch, seq=fact.weighing_seq)
    return out.model_copy(
        update={
            "business_step": fact.business_step,
            "from_location": fact.from_location,
            "to_location": fact.to_location,
            "item": fact.item,
            "lot": fact.lot,
            "serial": fact.serial,
            "sscc": fact.sscc,
            "expiry_date": fact.expiry_date,
            "quantity": fact.quantity,
            "unit": fact.unit,
            "net_weight": fact.net_weight,
            "weight_unit": fact.weight_unit,
            "document": fact.document,
            "document_line": fact.document_line,
            "weighing": str(weighing) if weighing else None,
        }
    )


def _with_passage(out: MovementOut, fact: Passage) -> MovementOut:
    # Neither end of an unknown way is said, so both are the door itself.
    return out.model_copy(
        update={
            "business_step": f"passage_{fact.direction}",
            "from_location": "" if fact.direction == "in" else fact.read_point,
            "to_location": "" if fact.direction == "out" else fact.read_point,
            "item": fact.gtin or fact.sscc or fact.grai or fact.epc,
            "serial": fact.serial,
            "sscc": fact.sscc,
        }
    )


def _with_reversal(out: MovementOut, fact: Reversal, taken_back: Movement | None) -> MovementOut:
    target = FactId(
        gateway=out.gateway, epoch=parse_epoch(fact.reverses_epoch), seq=fact.reverses_seq
    )
    if taken_back is not None:
        out = _with_movement(out, taken_back, fact_id=target).model_copy(
            update={
                "from_location": taken_back.to_location,
                "to_location": taken_back.from_location,
                "business_step": "reversal",
            }
        )
    return out.model_copy(update={"reverses": str(target), "reason": fact.reason})
