"""From a tag's passage to its fact, and to a sentence for the screen. Pure."""

from central.contract.epc import Gs1Epc, decode_epc
from central.contract.facts import Evidence, Passage, PassageDirection, Sighting
from gateway.station.catalogue import Catalogue
from gateway.station.effects import UNNUMBERED, Message
from gateway.station.messages import N_, item_words, say
from gateway.station.observations import Observation
from gateway.station.passages import TagPassage
from gateway.station.session import StationSetup
from gateway.station.tag_smoothing import GroupTrack

EPC_CHARACTERS_SHOWN_MAX = 40
RSSI_CDBM_MAX = 30_000
NUMBER_MAX = 2**53  # A reader's clock may say anything; the contract takes no more.
SENTENCES: dict[PassageDirection, str] = {
    "in": N_("{item} came in at {place}"),
    "out": N_("{item} went out at {place}"),
    "unknown": N_("{item} was seen at {place}, direction unknown"),
}


def passage_fact(observation: Observation, passage: TagPassage, setup: StationSetup) -> Passage:
    """Return the draft of a passage's fact.

    flags: "clock_unsynced"; "held_by_reader" for reads that the reader kept while nobody was
    connected; "tag_stays" if the tag was still there.
    """
    track = passage.track
    key = decode_epc(track.epc)
    flags = {
        "clock_unsynced": not (observation.clock_synced and passage.is_corrected),
        "held_by_reader": passage.held,
        "tag_stays": track.cause == "resting",
    }
    strengths = [
        group.strongest.rssi_cdbm for group in track.groups if group.strongest.rssi_cdbm is not None
    ]
    return Passage(
        seq=UNNUMBERED,
        event_time_ms=passage.last_seen_ms,
        clock_synced=observation.clock_synced and passage.is_corrected,
        boot_id=observation.boot_id,
        monotonic_ns=passage.monotonic_ns,
        warehouse=setup.warehouse,
        station=setup.station,
        flags=tuple(name for name, is_set in flags.items() if is_set),
        evidence=tuple(
            Evidence(device=group.source, kind="tag", raw=group.strongest.raw)
            for group in track.groups
        ),
        epc=track.epc.upper(),
        read_point=passage.read_point,
        direction=passage.direction,
        reads_count=track.reads_count,
        first_seen_ms=passage.first_seen_ms,
        last_seen_ms=passage.last_seen_ms,
        gtin=key.gtin if isinstance(key, Gs1Epc) else "",
        serial=key.serial if isinstance(key, Gs1Epc) and key.gtin else "",
        sscc=key.sscc if isinstance(key, Gs1Epc) else "",
        grai=key.grai if isinstance(key, Gs1Epc) else "",
        reader_first_us=_bounded(track.reader_first_us),
        reader_last_us=_bounded(track.reader_last_us),
        rssi_cdbm=_strength(max(strengths)) if strengths else None,
        sightings=tuple(_sighting(group, passage) for group in track.groups),
    )


def passage_message(fact: Passage, catalogue: Catalogue) -> Message:
    """Return what passed where, as a sentence."""
    words = item_words(None, fact.epc[:EPC_CHARACTERS_SHOWN_MAX])
    if fact.gtin:
        pack = catalogue.pack(fact.gtin)
        words = item_words(pack.item if pack else None, fact.gtin)
    elif fact.sscc or fact.grai:
        words = item_words(None, f"SSCC {fact.sscc}" if fact.sscc else f"GRAI {fact.grai}")
    return say(SENTENCES[fact.direction], words, place=fact.read_point)


def _sighting(group: GroupTrack, passage: TagPassage) -> Sighting:
    def wall_ms(at_ns: int) -> int:
        return max(passage.last_seen_ms - (passage.track.last_ns - at_ns) // 1_000_000, 0)

    strength = group.strongest.rssi_cdbm
    return Sighting(
        group=group.group,
        reads_count=group.reads_count,
        first_seen_ms=wall_ms(group.first_ns),
        last_seen_ms=wall_ms(group.last_ns),
        rssi_cdbm=None if strength is None else _strength(strength),
    )


def _strength(rssi_cdbm: int) -> int:
    return max(min(rssi_cdbm, RSSI_CDBM_MAX), -RSSI_CDBM_MAX)


def _bounded(microseconds: int | None) -> int:
    return max(min(microseconds or 0, NUMBER_MAX), 0)
