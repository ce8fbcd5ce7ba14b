"""TLS to the broker, with the certificate by which it knows us. Edge of ssl."""

import ssl
from pathlib import Path

from gateway.config_sections import MqttSection
from gateway.errors import ConfigInvalid


class BrokerTls:
    """One context for all connections; what `load` reads is shown to the broker from then on."""

    def __init__(self, *, ca_file: str, certificate_file: str, key_file: str) -> None:
        """Raises ConfigInvalid if the authority's file is of no use.

        A certificate may come later, and then its authority's file, too. key_file "": the key
        stands in the certificate's file.
        """
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._certificate = Path(certificate_file) if certificate_file else None
        self._key_file = key_file
        self._loaded = (0, 0)
        self._ca_file = Path(ca_file)
        if not certificate_file or self._ca_file.exists():
            self._load_authority()

    def load(self) -> bool:
        """Read the certificate; return False if there should be one and none can be used."""
        if self._certificate is None:
            return True
        stamp = self._stamp()
        if stamp == (0, 0) or not self._ca_file.exists():
            return False
        self._load_authority()
        try:
            # Without a password: the service has nobody to ask for one.
            self.context.load_cert_chain(
                self._certificate, self._key_file or None, password=lambda: b""
            )
        except (OSError, ValueError):
            return False
        self._loaded = stamp
        return True

    def is_newer(self) -> bool:
        """Return whether the file is another than the one that was read."""
        return self._certificate is not None and self._stamp() not in {(0, 0), self._loaded}

    def _load_authority(self) -> None:
        try:
            self.context.load_verify_locations(self._ca_file)
        except OSError as error:
            raise ConfigInvalid(
                f"mqtt.tls_ca_file: {self._ca_file}: {error.strerror or error}",
                hint="Name the PEM file of the authority that signed the broker's certificate.",
            ) from error

    def _stamp(self) -> tuple[int, int]:
        assert self._certificate is not None
        try:
            status = self._certificate.stat()
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_ino)


def broker_tls(mqtt: MqttSection) -> BrokerTls | None:
    """Return TLS as the configuration wants it, None for a broker without. Raises ConfigInvalid."""
    if not mqtt.tls_ca_file:
        return None
    return BrokerTls(
        ca_file=mqtt.tls_ca_file,
        certificate_file=mqtt.tls_certificate_file,
        key_file=mqtt.tls_key_file,
    )
