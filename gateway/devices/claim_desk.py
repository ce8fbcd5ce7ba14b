"""Claims and releases devices, and keeps the list of all that is found. Edge of claims and drivers.

A claim is tried first (opened and asked), then written to disk, then served: what is on the list
as claimed survives a power cut. The devices of the configuration file are served as they stand.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock, RLock, Thread

from central.contract.errors import ContractError
from central.contract.identifiers import parse_code
from drivers.candidates import Candidate
from drivers.errors import DriverError, SettingsInvalid
from drivers.registry import IMPORT_FAILURES
from gateway.clock import Clock, random_64
from gateway.config_sections import DEVICES_MAX
from gateway.devices import claim_words as words
from gateway.devices.binding_codes import BindingCodes, refreshed, without
from gateway.devices.bindings import Bindings
from gateway.devices.check import ConfiguredDevice
from gateway.devices.claim_choice import (
    OUR_TROUBLES,
    Wanted,
    claimable,
    first_choice,
    installation_troubles,
    is_binding_code,
    listening_candidates,
)
from gateway.devices.claim_flow import InService, claimed_device, names_at, role_name, taken_nodes
from gateway.devices.claim_listener import ClaimListeners
from gateway.devices.claim_trial import tried
from gateway.devices.claims import ClaimStore
from gateway.devices.discovery import Changes, DriverSheet, Unclaimed, place_of
from gateway.devices.identity import identities
from gateway.errors import ClaimRefused, ClaimsDamaged, ClaimsUnwritable
from gateway.health import Health, InstallationTrouble
from gateway.logs import log_event
from gateway.station.claiming import SCANNER_KEY, Claim, ClaimRequest, DeviceList
from gateway.station.effects import Message, Signal
from gateway.station.messages import say

NOTICE_NS_MAX = 60 * 1_000_000_000


class ClaimDesk:
    """The list and its clerk. `start` once, before anything is told; then any thread."""

    def __init__(
        self,
        *,
        store: ClaimStore,
        bindings: Bindings,
        configured: Sequence[ConfiguredDevice],
        stations: Sequence[str],
        health: Health,
        clock: Clock,
        random: Callable[[], int] = random_64,
    ) -> None:
        self._store = store
        self._bindings = bindings
        self._configured = tuple(configured)
        self._stations = tuple(stations)
        self._health = health
        self._clock = clock
        self._random = random
        self._lock = RLock()
        self._claiming = Lock()
        self._codes = BindingCodes()
        self._claimed: dict[str, ConfiguredDevice] = {}
        self._notice: Message | None = None
        self._notice_ns = 0
        self._in_service: InService | None = None
        self._listeners = ClaimListeners(heard=self._heard, claimed=self._claimed_itself)
        self._load()

    def devices(self) -> list[ConfiguredDevice]:
        """Return all devices to serve: those of the configuration, then the claimed ones."""
        with self._lock:
            return [*self._configured, *self._claimed.values()]

    def start(self, in_service: InService) -> None:
        """Serve from now on through `in_service`, which has `devices()` already."""
        self._in_service = in_service

    def stop(self) -> None:
        """Give back the lines of all scanners that are listened to."""
        self._listeners.stop()

    def changed(self, changes: Changes) -> None:
        """Take note that the bindings have changed: wake what is back, offer what is new."""
        appeared = {place_of(candidate): candidate for candidate in changes.appeared}
        gone = {identity for candidate in changes.gone for identity in identities(candidate)}
        if changes and self._in_service is not None:
            with self._lock:
                claimed = list(self._claimed.values())
            names = [
                device.section.name
                for device in claimed
                if (found := self._bindings.bound(device.identity).candidate) is not None
                and (place_of(found) in appeared or device.identity in gone)
            ]
            names += [
                device.section.name
                for device in self._configured
                if any(taken_nodes([device]).has(one) for one in appeared.values())
            ]
            if names:
                self._in_service.wake(names)
        self.refresh()

    def refresh(self) -> None:
        """Renew codes, listen to unclaimed scanners, tell what a person must do."""
        found = self._found()
        with self._lock:
            wanted = listening_candidates(found)
            keys = [one.identity for one in found if one.identity and claimable(one)]
            keys += [SCANNER_KEY] if wanted else []
            self._codes = refreshed(
                self._codes, keys, now_ns=self._clock.monotonic_ns(), random=self._random
            )
        if not self._claiming.locked():  # A trial needs the line for itself.
            self._listeners.follow(wanted)
        self._tell_troubles(found)

    def device_list(self) -> DeviceList:
        """Return the list as it is; never waits for a device."""
        found = self._found()
        listened = self._listeners.heard_keys()
        with self._lock:
            used = {device.section.name for device in self.devices()}
            codes, usable = self._codes, dict(self._claimed)
            fresh = self._clock.monotonic_ns() - self._notice_ns < NOTICE_NS_MAX
            notice = self._notice if fresh else None
        return DeviceList(
            found=tuple(
                words.found_device(
                    one,
                    code=codes.shown(one.identity) if one.identity else "",
                    listening=one.identity in listened,
                    names_for=lambda kind: names_at(kind, stations=self._stations, used=used),
                )
                for one in found
            ),
            claimed=tuple(
                words.claimed_view(
                    claim,
                    self._bindings.bound(claim.identity),
                    device_class=(
                        usable[claim.name].driver.device_class if claim.name in usable else ""
                    ),
                    usable=usable.keys(),
                )
                for claim in self._store.claims
            ),
            scanner_code=codes.shown(SCANNER_KEY) if listened else "",
            notice=notice,
        )

    def claim(self, request: ClaimRequest) -> Signal:
        """Try a device and put it into service; waits some seconds. success: durably claimed."""
        if not self._claiming.acquire(blocking=False):
            return words.refused(words.BUSY)
        try:
            signal = self._claim(request)
        finally:
            self._claiming.release()
        return self._told(signal)

    def release(self, name: str) -> Signal:
        """Take a claimed device out of service; it is offered again."""
        with self._lock:
            try:
                self._store.remove(name)
            except (ClaimRefused, ClaimsUnwritable) as error:
                return self._told(words.refused(words.NOT_STORED, hint=error.hint))
            self._claimed.pop(name, None)
            self._bindings.set_claims(claim.identity for claim in self._store.claims)
            self._serve()
        log_event("info", "device released", device=name)
        return self._told(words.released(name))

    def scanned(self, code: str, *, station: str = "") -> Signal:
        """Take a binding code that a scanner of a station scanned, "" the first; returns at once"""
        with self._lock:
            key = self._codes.key(code, now_ns=self._clock.monotonic_ns())
            if key == SCANNER_KEY:
                return words.refused(words.WORKING_SCANNER)
            found = next((one for one in self._found() if key and one.identity == key), None)
            if found is None or not claimable(found):
                return words.refused(words.OLD_CODE)
            self._codes = without(self._codes, key)
            used = {device.section.name for device in self.devices()}
        kind, place = first_choice(found).device_class, station or self._stations[0]
        name = role_name(kind, station=place, used=used)
        args = (ClaimRequest(key, name=name, by="scan"),)
        Thread(target=self.claim, args=args, name="claim", daemon=True).start()
        return words.claiming(name)

    def uses(self, host: str, port: int) -> bool:
        """Return True for the port of a device of ours, unless it is known to be offline."""
        candidate = Candidate(kind="network", node=host, tcp_port=port)
        if taken_nodes(self._configured).has(candidate):
            return True
        offline = {one.name for one in self._health.devices() if one.state == "offline"}
        with self._lock:
            claimed = [one for name, one in self._claimed.items() if name not in offline]
        bound = [self._bindings.bound(device.identity).candidate for device in claimed]
        return any(one and place_of(one) == place_of(candidate) for one in bound)

    def _load(self) -> None:
        try:
            self._store.load()
        except ClaimsDamaged as error:
            log_event("error", "claims not readable", reason=str(error), hint=error.hint)
            self._health.set_trouble(
                InstallationTrouble(
                    "claims_damaged", "devices.json", str(error), self._clock.now_ms()
                )
            )
        names = {device.section.name for device in self._configured}
        for claim in self._store.claims:
            try:
                if claim.name in names:
                    raise SettingsInvalid(
                        f"the configuration has a device called {claim.name!r} as well",
                        hint="Rename the device in the configuration, or release the claim.",
                    )
                self._claimed[claim.name] = claimed_device(claim, self._bindings.where)
            except (DriverError, *IMPORT_FAILURES) as error:
                hint = error.hint if isinstance(error, DriverError) else "Install its driver."
                log_event(
                    "error", "claim not usable", device=claim.name, reason=str(error), hint=hint
                )
        self._bindings.set_claims(claim.identity for claim in self._store.claims)

    def _claim(self, request: ClaimRequest) -> Signal:
        found = next((one for one in self._found() if one.identity == request.key), None)
        if found is None or not request.key:
            return words.refused(words.GONE)
        sheet = self._sheet(found, request)
        if sheet is None:
            return words.refused(words.NO_CHOICE)
        missing = [name for name in sheet.required if name not in request.settings]
        if missing:
            settings = ", ".join(missing)
            return words.refused(words.NEEDS_SETTINGS, driver=sheet.name, settings=settings)
        with self._lock:
            used = {device.section.name for device in self.devices()}
            used |= {claim.name for claim in self._store.claims}
        names = names_at(sheet.device_class, stations=self._stations, used=used)
        name = request.name or names[0][1]
        try:
            parse_code(name, what="name")
        except ContractError:
            return words.refused(words.BAD_NAME, device=name[:40])
        if name in used:
            return words.refused(words.NAME_TAKEN, device=name)
        if len(used) >= DEVICES_MAX:
            return words.refused(words.TOO_MANY)
        self._listeners.stop(request.key)
        problem = None if request.force else tried(found, sheet.name, name, request)
        return problem or self._store_claim(found, replace(request, driver=sheet.name, name=name))

    def _sheet(self, found: Unclaimed, request: ClaimRequest) -> DriverSheet | None:
        """Return the driver that was chosen, else the first that is offered and needs nothing."""
        if not request.driver:
            return first_choice(found) if found.offers else None
        usable = (one for one in self._bindings.sheets() if not one.problem)
        return next((one for one in usable if one.name == request.driver), None)

    def _store_claim(self, found: Unclaimed, request: ClaimRequest) -> Signal:
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        claim = Claim(
            name=request.name,
            driver=request.driver,
            identity=found.identity,
            settings=dict(request.settings),
            claimed_at=now.isoformat("T", "seconds"),
            by=request.by,
        )
        try:
            device = claimed_device(claim, self._bindings.where)
            with self._lock:
                self._store.add(claim)
                self._claimed[claim.name] = device
                self._codes = without(self._codes, claim.identity)
                self._bindings.set_claims(one.identity for one in self._store.claims)
                self._serve()
        except SettingsInvalid as error:
            return words.refused(words.CANNOT_LOAD, driver=claim.driver, hint=error.hint)
        except (ClaimRefused, ClaimsUnwritable) as error:
            return words.refused(words.NOT_STORED, hint=error.hint)
        log_event(
            "info",
            "device claimed",
            device=claim.name,
            driver=claim.driver,
            identity=claim.identity,
            by=claim.by,
        )
        return words.in_service(claim.name)

    def _serve(self) -> None:
        if self._in_service is not None:
            self._in_service.set_devices(self.devices())

    def _told(self, signal: Signal) -> Signal:
        with self._lock:
            self._notice, self._notice_ns = signal.message, self._clock.monotonic_ns()
        self.refresh()
        return signal

    def _heard(self, wanted: Wanted, text: str) -> bool:
        """Return True for the code that claims the scanner that scanned it."""
        with self._lock:
            if is_binding_code(text):
                key = self._codes.key(text, now_ns=self._clock.monotonic_ns())
                if key in {SCANNER_KEY, wanted.key} and not self._claiming.locked():
                    self._codes = without(self._codes, key)
                    return True
            self._notice, self._notice_ns = say(words.FIRST_CLAIM), self._clock.monotonic_ns()
        return False

    def _claimed_itself(self, wanted: Wanted) -> None:
        self.claim(ClaimRequest(wanted.key, driver=wanted.driver, by="scan"))

    def _found(self) -> tuple[Unclaimed, ...]:
        return self._bindings.unclaimed(taken_nodes(self._configured).has)

    def _tell_troubles(self, found: Sequence[Unclaimed]) -> None:
        """State what is plugged in and serves nobody, and take back what is mended."""
        ambiguous = [
            claim.name
            for claim in self._store.claims
            if self._bindings.bound(claim.identity).state == "ambiguous"
        ]
        told = installation_troubles(found, ambiguous, now_ms=self._clock.now_ms())
        known = {(trouble.problem, trouble.subject) for trouble in told}
        for trouble in told:
            self._health.set_trouble(trouble)
        for before in self._health.troubles():
            key = (before.problem, before.subject)
            if before.problem in OUR_TROUBLES and key not in known:
                self._health.clear_trouble(*key)
