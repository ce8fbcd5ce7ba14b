"""Puts what came of the enrolment where the configuration leaves it open. Edge of files."""

from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from gateway.config_sections import GatewayConfig
from gateway.errors import IdentityUnusable
from gateway.identity.files import IdentityFolder, read_enrol_file

UNSAID_RECEIVE_LOCATION = "DOCK-1"  # Who let it in by a claim did not say; central can set it.


def with_name(config: GatewayConfig) -> GatewayConfig:
    """Return the configuration with the name that central gave; as it is where it has one.

    Raises IdentityUnusable while nobody has let this gateway in.
    """
    if not config.is_nameless:
        return config
    identity = IdentityFolder(Path(config.gateway.data_directory)).read()
    if identity is None:
        raise IdentityUnusable(
            "this gateway has no name yet",
            hint="Let it in first: its screen shows a code to type at central, under Gateways.",
        )
    station = config.station
    assert station is not None, "checked when it was loaded"
    return replace(
        config,
        gateway=replace(
            config.gateway,
            code=identity.gateway,
            warehouse=config.gateway.warehouse or identity.warehouse,
            site=identity.site,
        ),
        station=replace(
            station,
            code=station.code or identity.gateway,
            receive_location=station.receive_location
            or identity.receive_location
            or UNSAID_RECEIVE_LOCATION,
        ),
    )


def with_identity(config: GatewayConfig) -> GatewayConfig:
    """Return the configuration with the files of the enrolment: broker, and central over HTTPS.

    As it is where no enrolment file is named. Keeps whom the enrolment file makes us believe.
    """
    if not config.identity.enrol_file:
        return config
    folder = IdentityFolder(Path(config.gateway.data_directory))
    url = ""
    with suppress(IdentityUnusable):  # The keeper says so, and looks again.
        given = read_enrol_file(Path(config.identity.enrol_file))
        if given is not None:
            folder.keep_root(given.root_pem)
            url = given.central_url
        elif (identity := folder.read()) is not None:
            url = identity.central_url
    mqtt, central = config.mqtt, config.central
    if not mqtt.tls_certificate_file:
        mqtt = replace(
            mqtt,
            tls_ca_file=mqtt.tls_ca_file or str(folder.root),
            tls_certificate_file=str(folder.certificate),
        )
    central = replace(
        central, url=central.url or url, tls_ca_file=central.tls_ca_file or str(folder.root)
    )
    return replace(config, mqtt=mqtt, central=central)
