"""The table of what is plugged in and where each claim is bound, for all threads. Edge of memory.

The rules are in `discovery.py`; here is the lock around their state.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from threading import Lock

from drivers.candidates import Candidate, CandidateKind
from gateway.devices.discovery import (
    Binding,
    Changes,
    DriverSheet,
    Place,
    Table,
    Unclaimed,
    after_add,
    after_remove,
    after_sweep,
    binding,
    place_of,
    same_spot,
    unclaimed,
)
from gateway.devices.identity import address_of, identities, shared_identities

ReadAgain = Callable[[Candidate], Candidate | None]


class Bindings:
    """What is present, what it is bound to, what drivers say they serve."""

    def __init__(self, *, read_again: ReadAgain) -> None:
        """read_again: returns what is at a candidate's node now; called from device threads."""
        self._read_again = read_again
        self._lock = Lock()
        self._table = Table()
        self._claimed: tuple[str, ...] = ()
        self._held: dict[str, Candidate] = {}
        self._sheets: tuple[DriverSheet, ...] = ()
        self._confirmed: dict[Place, str] = {}

    def set_claims(self, claimed: Iterable[str]) -> None:
        """Bind these identities from now on."""
        with self._lock:
            self._claimed = tuple(claimed)
            self._rebind()

    def set_sheets(self, sheets: Sequence[DriverSheet]) -> None:
        """Offer these drivers from now on."""
        with self._lock:
            self._sheets = tuple(sheets)

    def sheets(self) -> tuple[DriverSheet, ...]:
        """Return the drivers that are offered."""
        with self._lock:
            return self._sheets

    def confirm(self, candidate: Candidate, *, driver: str, words: str) -> None:
        """Note that a network device has answered a driver's question, and what it said."""
        with self._lock:
            self._confirmed[place_of(candidate)] = driver
            named = tuple(
                replace(one, candidate=replace(one.candidate, product=words))
                if place_of(one.candidate) == place_of(candidate)
                else one
                for one in self._table.sightings
            )
            self._table = replace(self._table, sightings=named)

    def swept(self, seen: Iterable[Candidate], *, kinds: AbstractSet[CandidateKind]) -> Changes:
        """Take what a sweep saw; return what changed."""
        with self._lock:
            self._table, changes = after_sweep(self._table, seen, kinds=kinds)
            self._rebind()
            return changes

    def added(self, candidate: Candidate) -> Changes:
        """Take the kernel's "add"; return what changed."""
        with self._lock:
            self._table, changes = after_add(self._table, candidate)
            self._rebind()
            return changes

    def removed(self, node: str) -> Changes:
        """Take the kernel's "remove"; return what changed."""
        with self._lock:
            self._table, changes = after_remove(self._table, node)
            self._rebind()
            return changes

    def bound(self, identity: str) -> Binding:
        """Return where a claim is, as last seen."""
        with self._lock:
            return self._binding(identity)

    def where(self, identity: str) -> Binding:
        """Return where a claim is right now: its node is read again before it is opened.

        A network device that is known by its MAC address may have left its address to another.
        """
        bound = self.bound(identity)
        if bound.candidate is None or address_of(identity) is not None:
            return bound
        now = self._read_again(bound.candidate)
        if now is None or identity not in identities(now) or not same_spot(now, bound.candidate):
            return Binding("absent")
        return bound

    def candidates(self) -> tuple[Candidate, ...]:
        """Return all that is present."""
        with self._lock:
            return self._table.candidates

    def unclaimed(self, taken: Callable[[Candidate], bool]) -> tuple[Unclaimed, ...]:
        """Return what nobody uses; `taken`: whether a configured device is there."""
        with self._lock:
            bound = {
                place_of(found.candidate)
                for identity in self._claimed
                if (found := self._binding(identity)).candidate is not None
            }
            return unclaimed(
                self._table,
                self._sheets,
                claimed=frozenset(self._claimed),
                taken=bound | {place_of(one) for one in self._table.candidates if taken(one)},
                confirmed=self._confirmed,
            )

    def alike(self) -> frozenset[str]:
        """Return the identities that two of those present share right now."""
        with self._lock:
            return shared_identities(self._table.candidates)

    def _binding(self, identity: str) -> Binding:
        return binding(self._table, identity, held=self._held.get(identity))

    def _rebind(self) -> None:
        """Hold what is bound now, so that a twin that appears later takes nothing over."""
        held: dict[str, Candidate] = {}
        for identity in self._claimed:
            found = self._binding(identity)
            if found.candidate is not None:
                held[identity] = found.candidate
        self._held = held
        present = {place_of(one) for one in self._table.candidates}
        self._confirmed = {
            place: driver for place, driver in self._confirmed.items() if place in present
        }
