"""What is plugged in now, whose it is, and what nobody has claimed. Pure.

Each node (kind, node, TCP port) is in one of these states; this file has all of their transitions:

              "add", seen                    missed            missed again, "remove"
    absent -----------------> present -----------------> missing -----------------> absent
                                 ^  `--"remove"--> absent   |
                                 `---------- seen ----------'
                              seen at the same node, but another device: gone and appeared

A sweep that misses a node once proves nothing: a busy kernel and a lost connection look the same.
A claim is bound to the one present candidate that answers to its identity:

    candidates that answer    0           1                    2 or more, or ever were 2 or more
    the claim is              absent      present, its node    ambiguous, but for the one it holds

What is bound stays bound while it is plugged in; a twin that appears later takes nothing over.
What was missed is no twin of what was seen: it may be the same device at another node.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Literal

from drivers.candidates import Candidate, CandidateKind, Matcher, match_score
from gateway.devices.identity import (
    address_of,
    identities,
    identity_of,
    matching,
    shared_identities,
)

MISSED_SWEEPS_MAX = 1  # One more and it is gone.
CANDIDATES_MAX = 256
OFFERS_MAX = 64

Place = tuple[CandidateKind, str, int]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A candidate and how many sweeps in a row have missed it."""

    candidate: Candidate
    missed_count: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """All that is present. twins: identities that two of them ever shared since the start."""

    sightings: tuple[Sighting, ...] = ()
    twins: frozenset[str] = frozenset()

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Return what is present, in the order of its first sighting."""
        return tuple(sighting.candidate for sighting in self.sightings)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a step changed, besides the table."""

    appeared: tuple[Candidate, ...] = ()
    gone: tuple[Candidate, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.appeared or self.gone)


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a claimed device is. candidate: None unless present."""

    state: Literal["present", "absent", "ambiguous"]
    candidate: Candidate | None = None


@dataclass(frozen=True, slots=True)
class DriverSheet:
    """What a driver says of itself, without the driver.

    required: settings that have no default, besides node and TCP port.
    problem: why it cannot be loaded, "" if it can; then nothing else is known of it.
    """

    name: str
    device_class: str = ""
    summary: str = ""
    matchers: tuple[Matcher, ...] = ()
    node_setting: str = ""
    tcp_port_setting: str = ""
    required: tuple[str, ...] = ()
    probes: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A driver that matches."""

    sheet: DriverSheet
    score: int


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """A candidate that nobody uses. identity: "" if it cannot be told apart: it is refused.

    twin: its serial number does not count because another device bears it as well.
    """

    candidate: Candidate
    identity: str
    twin: bool
    offers: tuple[Offer, ...]


def place_of(candidate: Candidate) -> Place:
    """Return where it is, as the key of the table."""
    return (candidate.kind, candidate.node, candidate.tcp_port)


def same_spot(one: Candidate, other: Candidate) -> bool:
    """Return True if both are at one node and port: a twin in another port may get the node."""
    return place_of(one) == place_of(other) and one.port_path == other.port_path


def after_sweep(
    table: Table, seen: Iterable[Candidate], *, kinds: AbstractSet[CandidateKind]
) -> tuple[Table, Changes]:
    """Return the table after a sweep that looked for all `kinds` and saw `seen`."""
    fresh = {place_of(candidate): candidate for candidate in seen}
    kept: list[Sighting] = []
    appeared: list[Candidate] = []
    gone: list[Candidate] = []
    for sighting in table.sightings:
        before = sighting.candidate
        now = fresh.pop(place_of(before), None)
        if now is not None:
            kept.append(Sighting(now))
            if now != before:
                gone.append(before)
                appeared.append(now)
        elif before.kind not in kinds:
            kept.append(sighting)
        elif sighting.missed_count < MISSED_SWEEPS_MAX:
            kept.append(replace(sighting, missed_count=sighting.missed_count + 1))
        else:
            gone.append(before)
    room = max(0, CANDIDATES_MAX - len(kept))
    new = list(fresh.values())[:room]
    kept += [Sighting(candidate) for candidate in new]
    return _table(table, kept), Changes((*appeared, *new), tuple(gone))


def after_add(table: Table, candidate: Candidate) -> tuple[Table, Changes]:
    """Return the table after the kernel said "add"; the same device again is news as well."""
    others = [one for one in table.sightings if place_of(one.candidate) != place_of(candidate)]
    if len(others) >= CANDIDATES_MAX:
        return table, Changes()
    replaced = tuple(
        one.candidate
        for one in table.sightings
        if place_of(one.candidate) == place_of(candidate) and one.candidate != candidate
    )
    return _table(table, [*others, Sighting(candidate)]), Changes((candidate,), replaced)


def after_remove(table: Table, node: str) -> tuple[Table, Changes]:
    """Return the table after the kernel said "remove"."""
    kept = [
        one
        for one in table.sightings
        if one.candidate.node != node or one.candidate.kind == "network"
    ]
    gone = tuple(one.candidate for one in table.sightings if one not in kept)
    return _table(table, kept), Changes(gone=gone)


def binding(table: Table, identity: str, *, held: Candidate | None) -> Binding:
    """Return where a claimed device is; `held`: what it was bound to last, None if nothing."""
    found = matching(table.candidates, identity)
    for candidate in found:
        if held is not None and same_spot(candidate, held):
            return Binding("present", candidate)
    if not found:
        address = address_of(identity)
        return Binding("present", address) if address else Binding("absent")
    if len(found) > 1 or identity in table.twins:
        return Binding("ambiguous")
    return Binding("present", found[0])


def unclaimed(
    table: Table,
    sheets: Sequence[DriverSheet],
    *,
    claimed: AbstractSet[str],
    taken: AbstractSet[Place],
    confirmed: Mapping[Place, str],
) -> tuple[Unclaimed, ...]:
    """Return what nobody uses, what drivers know best first, with the drivers that match it.

    claimed: identities of claims; taken: where configured and bound devices are.
    confirmed: the driver whose question a network device has answered.
    """
    found = []
    for candidate in table.candidates:
        place = place_of(candidate)
        if place in taken or claimed & set(identities(candidate)) - table.twins:
            continue
        found.append(
            Unclaimed(
                candidate=candidate,
                identity=identity_of(candidate, shared=table.twins),
                twin=any(one in table.twins for one in identities(candidate)),
                offers=_offers(candidate, sheets, confirmed=confirmed.get(place, "")),
            )
        )
    found.sort(key=lambda one: -max((offer.score for offer in one.offers), default=0))
    return tuple(found)


def _table(before: Table, sightings: Sequence[Sighting]) -> Table:
    shared = shared_identities(one.candidate for one in sightings if not one.missed_count)
    return Table(tuple(sightings), before.twins | shared)


def _offers(
    candidate: Candidate, sheets: Sequence[DriverSheet], *, confirmed: str
) -> tuple[Offer, ...]:
    offers = [
        Offer(sheet, score)
        for sheet in sheets
        if sheet.node_setting and (score := match_score(sheet.matchers, candidate))
    ]
    offers.sort(
        key=lambda offer: (
            offer.sheet.name != confirmed,
            -offer.score,
            bool(offer.sheet.required),
            offer.sheet.name,
        )
    )
    return tuple(offers[:OFFERS_MAX])
