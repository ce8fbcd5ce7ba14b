"""What a gateway says of itself: its state, from journal, clock and health. Loop."""

from pathlib import Path

from central.contract.errors import ContractError
from central.contract.facts import decode_fact
from central.contract.states import REASON_CHARACTERS_MAX, DeviceState, GatewayState
from gateway.clock import Clock
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.release import release_version
from gateway.update_report import REPORT_FILE, tell_failed_release

SOFTWARE = f"dockledger-{release_version()}".rstrip("-")
DETAIL_CHARACTERS_MAX = 256
OLDEST_BYTES_MAX = 1024


def gateway_state(
    journal: Journal, clock: Clock, health: Health, *, online: bool, report: Path = REPORT_FILE
) -> GatewayState:
    """Return the state as it is now; `online` False for the last will and the farewell.

    report: of the update agent.
    """
    epoch, known, storage = journal.epoch, health.knowledge(), health.storage()
    failed = tell_failed_release(health, report=report)
    return GatewayState(
        gateway=journal.gateway,
        warehouse=journal.warehouse,
        epoch=str(epoch),
        online=online,
        time_ms=clock.now_ms(),
        head_seq=max((one.head_seq for one in journal.epochs() if one.epoch == epoch), default=0),
        unsent_count=journal.unsent_count(),
        software=SOFTWARE,
        problem="journal" if health.journal_problem() else health.link().problem,
        devices=tuple(
            DeviceState(
                name=device.name,
                device_class=device.device_class,
                state=device.state,
                detail=device.detail[:DETAIL_CHARACTERS_MAX],
                problem=device.problem,
            )
            for device in health.devices()
        ),
        boot_id=clock.boot_id,
        monotonic_ms=clock.monotonic_ns() // 1_000_000,
        clock_synced=clock.synced(),
        lag_s=_lag_s(journal, clock),
        stream=known.stream,
        notice=known.notice,
        stock_revision=known.stock_revision,
        reference_revision=known.reference_revision,
        known_age_s=_age_s(known.as_of_ms, clock) if known.stream else 0,
        disk_used_percent=storage.disk_used_percent,
        written_bytes_day=storage.written_bytes_day,
        failed_release=failed.version,
        failed_reason=failed.reason[:REASON_CHARACTERS_MAX],
        failed_time_ms=failed.since_ms,
        shed_count=health.counters().get("passages_shed_total", 0),
    )


def _age_s(as_of_ms: int, clock: Clock) -> int:
    return max(0, clock.now_ms() - as_of_ms) // 1000


def _lag_s(journal: Journal, clock: Clock) -> int:
    """Return the age of the oldest fact that the ledger has not acknowledged, 0 if it has all.

    By the monotonic clock within a boot; of an earlier boot by the wall clock, which may be wrong.
    """
    for one in journal.epochs():
        if one.acked_seq >= one.head_seq:
            continue
        oldest = journal.read_run(
            one.epoch, first_seq=one.acked_seq + 1, facts_max=1, bytes_max=OLDEST_BYTES_MAX
        )
        if oldest is None:
            return 0
        try:
            fact = decode_fact(oldest.facts[0])
        except ContractError:
            return 0
        if fact.boot_id == clock.boot_id:
            return max(0, clock.monotonic_ns() - fact.monotonic_ns) // 1_000_000_000
        return max(0, clock.now_ms() - fact.event_time_ms) // 1000
    return 0
