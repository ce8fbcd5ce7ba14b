"""Machines that ask for certificates, and an installation that gives them."""

from dataclasses import dataclass, field
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from central.contract.enrolment import poll_bytes, proof_bytes, renewal_bytes
from central.trust.authority import make_issuing, make_root
from central.trust.authority_files import Authorities
from central.trust.broker_files import BrokerFiles
from central.trust.enrolling import EnrolmentRequest
from central.trust.renewing import RenewalRequest
from central.trust.trust import Trust

NOW_MS = 1_800_000_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@dataclass
class SetClock:
    """A clock that stands until somebody moves it."""

    time_ms: int = NOW_MS

    def now_ms(self):
        return self.time_ms

    def monotonic_s(self):
        return self.time_ms / 1000


@dataclass
class Machine:
    """A Pi: the key of its certificate and the key of its journal."""

    key: object = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    journal: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def csr(self, name="", *, is_authority=False, signer=None):
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else []
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
        if is_authority:
            wanted = x509.BasicConstraints(ca=True, path_length=None)
            builder = builder.add_extension(wanted, critical=True)
        return builder.sign(signer or self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def request(self, claim, *, csr=None, **changed):
        csr = csr or self.csr()
        values = {
            "claim": claim,
            "csr": csr,
            "signing_key": self.journal.public_key().public_bytes_raw(),
            "signing_proof": self.journal.sign(proof_bytes(csr)),
        }
        return EnrolmentRequest(**(values | changed))

    def body(self, claim, *, csr=None):
        """Return the request as it goes over HTTP."""
        asked = self.request(claim, csr=csr)
        return {
            "claim": claim,
            "csr": asked.csr,
            "signing_key": asked.signing_key.hex(),
            "signing_proof": asked.signing_proof.hex(),
        }

    def asking(self):
        """Return how it asks over HTTP for a code to show."""
        return {name: value for name, value in self.body("").items() if name != "claim"}

    def signed_poll(self, secret):
        """Return what proves that it has the key that it asked for."""
        return self.key.sign(poll_bytes(secret), ec.ECDSA(hashes.SHA256()))

    def renewal(self, serial, *, by=None):
        """Ask for a certificate of our key; by: the machine whose key has the last one."""
        csr = self.csr()
        signature = (by or self).key.sign(renewal_bytes(csr), ec.ECDSA(hashes.SHA256()))
        return RenewalRequest(serial=serial, csr=csr, signature=signature)


@cache
def authorities():
    """Return authorities, the same for every test of the process."""
    root = make_root("Test", now_ms=NOW_MS)
    return Authorities(
        root.pem,
        make_issuing(root, "Test gateways", now_ms=NOW_MS),
        make_issuing(root, "Test servers", now_ms=NOW_MS),
    )


def trust_of(database, *, clock=None, directory=None):
    """Return who is who in a database; directory: where the broker's files are written."""
    broker = BrokerFiles(directory, None, "", "demo") if directory is not None else None
    return Trust(
        database=database,
        clock=clock or SetClock(),
        site="demo",
        authorities=authorities(),
        broker=broker,
        crl_url="",
        public_url="https://central.example.com",
        broker_host="broker.example.com",
        broker_port=8883,
        ledger_key=lambda: "00" * 32,
    )


def claimed(trust, gateway="dock-a"):
    """Return the code of a new claim."""
    return trust.make_claim(gateway=gateway, warehouse="SH1", by="tests").code.text
