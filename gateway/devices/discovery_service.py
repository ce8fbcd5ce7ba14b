"""Builds discovery from the configuration: kernel, network, claims, desk. Root."""

from collections.abc import Sequence
from pathlib import Path

from drivers.candidates import Candidate
from gateway.clock import Clock
from gateway.config_sections import GatewayConfig
from gateway.devices.bindings import Bindings
from gateway.devices.check import ConfiguredDevice
from gateway.devices.claim_desk import ClaimDesk
from gateway.devices.claim_flow import InService, taken_nodes
from gateway.devices.claims import ClaimStore
from gateway.devices.discovery_loop import DiscoveryLoop
from gateway.devices.kernel_devices import KernelDevices
from gateway.devices.network_devices import at_address_now
from gateway.errors import DevicesUnseen
from gateway.health import Health
from gateway.logs import log_event


class DiscoveryService:
    """Everything that finds and claims; `start` once, `stop` once."""

    def __init__(
        self,
        config: GatewayConfig,
        configured: Sequence[ConfiguredDevice],
        *,
        clock: Clock,
        health: Health,
    ) -> None:
        self._kernel = _kernel_devices() if config.discovery.enabled else None
        bindings = Bindings(read_again=self._read_again)
        self.desk = ClaimDesk(
            store=ClaimStore(Path(config.gateway.data_directory)),
            bindings=bindings,
            configured=configured,
            stations=[place.code for place in config.work_places],
            health=health,
            clock=clock,
        )
        self._enabled = config.discovery.enabled
        self._loop = DiscoveryLoop(
            kernel=self._kernel,
            bindings=bindings,
            desk=self.desk,
            section=config.discovery,
            own_hosts=[host for host, _ in taken_nodes(configured).hosts],
        )

    def start(self, in_service: InService) -> None:
        """Begin to look; `in_service` serves `desk.devices()` already."""
        self.desk.start(in_service)
        if self._enabled:
            self._loop.start()

    def stop(self) -> None:
        """End all threads and give all lines back."""
        self._loop.stop()

    def _read_again(self, candidate: Candidate) -> Candidate | None:
        if candidate.kind == "network":
            return at_address_now(candidate)
        return self._kernel.read_again(candidate) if self._kernel is not None else None


def _kernel_devices() -> KernelDevices | None:
    try:
        return KernelDevices()
    except DevicesUnseen as error:
        log_event("error", "devices cannot be found", reason=str(error), hint=error.hint)
        return None
