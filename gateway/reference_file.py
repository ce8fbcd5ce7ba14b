"""The reference data that a file gives, beside what the journal has kept. Edge of the file."""

from pathlib import Path

from central.contract.errors import ContractError
from central.contract.reference import REFERENCE_BYTES_MAX, Reference, parse_reference
from gateway.config_sections import GatewayConfig
from gateway.errors import ConfigInvalid
from gateway.journal.journal import Journal
from gateway.logs import log_event
from gateway.station.catalogue import Catalogue


def current_reference(config: GatewayConfig, journal: Journal) -> Reference | None:
    """Return the reference data to work by: the file's if its revision is higher, else the kept."""
    kept = journal.reference()
    if not config.gateway.reference_file:
        return kept
    try:
        read = _read_reference(Path(config.gateway.reference_file))
    except ConfigInvalid as error:
        if kept is None:
            raise
        # The dock goes on with what it knows; whoever changed the file hears of it.
        log_event("error", "reference file not usable", reason=str(error), hint=error.hint)
        return kept
    if journal.store_reference(read):
        log_event("info", "reference data stored", revision=read.revision)
        return read
    if read != kept:
        log_event(
            "warning",
            "reference file ignored: its revision is not higher than the one kept",
            revision=read.revision,
            hint="Raise `revision` in the reference file.",
        )
    return kept


def _read_reference(path: Path) -> Reference:
    try:
        with path.open("rb") as file:
            return parse_reference(file.read(REFERENCE_BYTES_MAX + 1))
    except OSError as error:
        raise ConfigInvalid(
            f"gateway.reference_file: {path} cannot be read: {error}",
            hint="Name a file that this user can read.",
        ) from error
    except ContractError as error:
        raise ConfigInvalid(f"gateway.reference_file: {path}: {error}", hint=error.hint) from error


def warn_of_unknown_places(config: GatewayConfig, catalogue: Catalogue) -> None:
    named = [
        (one.receive_location, one.ship_location, one.returns_location)
        for one in config.work_places
    ]
    for place in dict.fromkeys(place for places in named for place in places):
        if place and catalogue.revision and catalogue.location(place) is None:
            log_event(
                "warning",
                "the reference data does not know the station's place",
                warehouse=config.gateway.warehouse,
                location=place,
                hint="Correct gateway.warehouse or the places in [station], or the reference data.",
            )
