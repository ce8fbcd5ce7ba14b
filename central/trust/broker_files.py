"""What the ledger writes for the broker, and how it makes the broker read it. Edge of files.

    ca.pem        whom the broker believes: the authority of gateways and the root
    ca-central.pem  the same for central's own listener: the authority of servers
    crl.pem, crl-central.pem   what was revoked, good for 7 days, written anew each day
    acl           who may do what; a block for each revoked gateway
    nats-users.conf  the same for NATS: a user for each gateway that is not revoked
    broker.pem, broker.key     the broker's own certificate
    central.pem, central.key   by which central logs in

Each file is checked before it replaces the one before: a broker refuses to start with a list that
it cannot read, and lets nobody in with one that is past its time.
"""

import fcntl
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from central.errors import TrustUnusable
from central.trust.authority import (
    Revoked,
    check_crl,
    issue_central,
    issue_server,
    key_pem,
    make_crl,
    new_key,
    pem_of,
)
from central.trust.authority_files import Authorities, read_text, write_file
from central.trust.broker_rules import access_list
from central.trust.nats_rules import user_list

PID_BYTES_MAX = 32
NATS_FILE = "nats-users.conf"


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """Where the broker's files are, and who it is. pid_file: None where something else tells it
    (a systemd path unit) that they have changed."""

    directory: Path
    pid_file: Path | None
    crl_url: str
    site: str

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder: nobody writes older rules over newer ones. Raises TrustUnusable."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def write_rules(
        self,
        authorities: Authorities,
        *,
        revoked: Sequence[Revoked],
        denied: Iterable[str],
        enrolled: Iterable[str],
        now_ms: int,
    ) -> int:
        """Write revocation lists and access list; return until when the lists are good.

        The broker is told to read them. Raises TrustUnusable; what was there before stays.
        """
        number = now_ms // 1000
        gateways, servers = authorities.gateways, authorities.servers
        crl = make_crl(gateways, revoked, now_ms=now_ms, number=number, crl_url=self.crl_url)
        own = make_crl(servers, (), now_ms=now_ms, number=number, crl_url="")
        try:
            until_ms = check_crl(crl, gateways.certificate, now_ms=now_ms)
            check_crl(own, servers.certificate, now_ms=now_ms)
            write_file(self.directory / "acl", access_list(site=self.site, revoked=denied))
            write_file(self.directory / NATS_FILE, user_list(site=self.site, gateways=enrolled))
            write_file(self.directory / "crl-central.pem", own)
            write_file(self.directory / "crl.pem", crl)
        except (OSError, ValueError) as error:
            raise self._unusable(error) from error
        self.tell()
        return until_ms

    def write_certificates(
        self, authorities: Authorities, *, hosts: Sequence[str], now_ms: int
    ) -> None:
        """Write whom the broker believes, its own certificate and central's. Raises TrustUnusable.

        hosts: names and addresses under which the broker is reached. Keys are made anew.
        """
        servers, key, own_key = authorities.servers, new_key(), new_key()
        broker = issue_server(servers, key.public_key(), hosts, now_ms=now_ms, crl_url="")
        central = issue_central(servers, own_key.public_key(), now_ms=now_ms, crl_url="")
        chain = servers.pem
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            write_file(self.directory / "root.pem", authorities.root_pem)
            write_file(self.directory / "ca.pem", authorities.gateways.pem + authorities.root_pem)
            write_file(self.directory / "ca-central.pem", chain + authorities.root_pem)
            write_file(self.directory / "broker.key", key_pem(key))  # The broker's group reads it.
            write_file(self.directory / "broker.pem", pem_of(broker) + chain)
            write_file(self.directory / "central.key", key_pem(own_key), private=True)
            write_file(self.directory / "central.pem", pem_of(central) + chain)
        except OSError as error:
            raise self._unusable(error) from error

    def good_until_ms(self, authorities: Authorities, *, now_ms: int) -> int:
        """Return until when the revocation list is good, 0 if there is none that is good now."""
        try:
            crl = read_text(self.directory / "crl.pem")
            return check_crl(crl, authorities.gateways.certificate, now_ms=now_ms)
        except (TrustUnusable, ValueError):
            return 0

    def tell(self) -> None:
        """Make the broker read its files again (SIGHUP). Raises TrustUnusable."""
        if self.pid_file is None:
            return
        try:
            with self.pid_file.open("rb") as file:
                number = int(file.read(PID_BYTES_MAX))
            os.kill(number, signal.SIGHUP)
        except (OSError, ValueError) as error:
            raise TrustUnusable(
                f"the broker of {self.pid_file} cannot be told: {error}",
                hint="Start the broker, let this user signal it, or reload it by a path unit.",
            ) from error

    def _unusable(self, error: Exception) -> TrustUnusable:
        return TrustUnusable(
            f"the broker's files in {self.directory} cannot be written: {error}",
            hint="Let central's user write that folder; the files before are still in force.",
        )
