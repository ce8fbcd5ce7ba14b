"""The authorities: makes them, certificates and revocation lists. Edge of cryptography.

    root (offline after the start, 20 years)
    |-- gateways (10 years)  -> gateway certificates: CN is the code, clientAuth, 90 days
    `-- servers (10 years)   -> broker and central: serverAuth; central at the broker: clientAuth

ECDSA with P-256 throughout (FIPS 186-5). Profiles follow RFC 5280: path lengths, key usage and
extended key usage are critical where it says so. Of a request only the key is used. Gateway
certificates name a distribution point and their revocation list says for what it is issued, since
brokers other than mosquitto fetch and match it by those (RFC 5280, 4.2.1.13 and 5.2.5).
"""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from central.trust.requests import spki_of

DAY = dt.timedelta(days=1)
ROOT_DAYS, ISSUING_DAYS, GATEWAY_DAYS, SERVER_DAYS = 20 * 365, 10 * 365, 90, 825
CRL_DAYS = 7
# A Pi without a battery for its clock may be some minutes behind.
EARLIER = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate with its key. repr shows the name alone."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"Authority({self.certificate.subject.rfc4514_string()})"

    @property
    def pem(self) -> str:
        """Return the certificate."""
        return pem_of(self.certificate)

    @property
    def key_pem(self) -> str:
        """Return the private key, not encrypted."""
        return key_pem(self.key)


@dataclass(frozen=True, slots=True)
class Revoked:
    """A line of a revocation list."""

    serial: int
    at_ms: int


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a private key as PEM (PKCS #8), not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def pem_of(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()


def load_authority(certificate_pem: str, private_pem: str) -> Authority:
    """Return an authority from its two files. Raises ValueError."""
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    key = load_pem_private_key(private_pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is not of an elliptic curve")  # noqa: TRY004 - of a file
    if spki_of(key.public_key()) != spki_of(certificate.public_key()):
        raise ValueError("certificate and key do not belong together")
    return Authority(certificate, key)


def make_root(name: str, *, now_ms: int) -> Authority:
    """Return a new root that may have issuing authorities below it."""
    key = new_key()
    subject = _name(f"{name} root")
    builder = _builder(subject, subject, key.public_key(), now_ms=now_ms, days=ROOT_DAYS)
    builder = _as_authority(builder, key.public_key(), key.public_key(), path_length=1)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def make_issuing(root: Authority, name: str, *, now_ms: int) -> Authority:
    """Return a new authority below the root, which issues leaves alone."""
    key = new_key()
    builder = _builder(
        _name(name), root.certificate.subject, key.public_key(), now_ms=now_ms, days=ISSUING_DAYS
    )
    builder = _as_authority(builder, key.public_key(), root.key.public_key(), path_length=0)
    return Authority(builder.sign(root.key, hashes.SHA256()), key)


def issue_gateway(
    authority: Authority,
    public_key: ec.EllipticCurvePublicKey,
    gateway: str,
    *,
    now_ms: int,
    crl_url: str,
    days: int = GATEWAY_DAYS,
) -> x509.Certificate:
    """Return a certificate by which a gateway is known at the broker."""
    return _leaf(
        authority,
        public_key,
        gateway,
        now_ms=now_ms,
        days=days,
        usage=ExtendedKeyUsageOID.CLIENT_AUTH,
        crl_url=crl_url,
    )


def issue_server(
    authority: Authority,
    public_key: ec.EllipticCurvePublicKey,
    hosts: Sequence[str],
    *,
    now_ms: int,
    crl_url: str,
) -> x509.Certificate:
    """Return a certificate for a server; hosts: its names and addresses, the first is its name."""
    return _leaf(
        authority,
        public_key,
        hosts[0][:64],
        now_ms=now_ms,
        days=SERVER_DAYS,
        usage=ExtendedKeyUsageOID.SERVER_AUTH,
        crl_url=crl_url,
        hosts=hosts,
    )


def issue_central(
    authority: Authority, public_key: ec.EllipticCurvePublicKey, *, now_ms: int, crl_url: str
) -> x509.Certificate:
    """Return the certificate by which central is known at the broker."""
    return _leaf(
        authority,
        public_key,
        "central",
        now_ms=now_ms,
        days=SERVER_DAYS,
        usage=ExtendedKeyUsageOID.CLIENT_AUTH,
        crl_url=crl_url,
    )


def make_crl(
    authority: Authority, revoked: Sequence[Revoked], *, now_ms: int, number: int, crl_url: str
) -> str:
    """Return a revocation list as PEM, good for CRL_DAYS."""
    now = _moment(now_ms)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - EARLIER)
        .next_update(now + CRL_DAYS * DAY)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_key(authority.key.public_key()), critical=False)
    )
    if crl_url:
        builder = builder.add_extension(_issued_for(crl_url), critical=True)
    for one in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(one.serial)
            .revocation_date(_moment(one.at_ms))
            .build()
        )
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def check_crl(pem: str, authority: x509.Certificate, *, now_ms: int) -> int:
    """Return until when a revocation list of an authority is good, in milliseconds.

    Raises ValueError for one that cannot be read, is another's, or is not good now: a broker that
    is given such a list lets nobody in, or does not start.
    """
    crl = x509.load_pem_x509_crl(pem.encode())
    key = authority.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not crl.is_signature_valid(key):
        raise ValueError("the revocation list is not signed by its authority")
    until = crl.next_update_utc
    if until is None or not crl.last_update_utc <= _moment(now_ms) < until:
        raise ValueError("the revocation list is not good now")
    return int(until.timestamp() * 1000)


def crl_der(pem: str) -> bytes:
    """Return a revocation list as DER, the form that is fetched over HTTP (RFC 5280, 4.2.1.13)."""
    return x509.load_pem_x509_crl(pem.encode()).public_bytes(Encoding.DER)


def _leaf(
    authority: Authority,
    public_key: ec.EllipticCurvePublicKey,
    subject_name: str,
    *,
    now_ms: int,
    days: int,
    usage: x509.ObjectIdentifier,
    crl_url: str,
    hosts: Sequence[str] = (),
) -> x509.Certificate:
    builder = (
        _builder(
            _name(subject_name),
            authority.certificate.subject,
            public_key,
            now_ms=now_ms,
            days=days,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(_authority_key(authority.key.public_key()), critical=False)
    )
    if hosts:
        names = x509.SubjectAlternativeName([_host_name(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    if crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    *,
    now_ms: int,
    days: int,
) -> x509.CertificateBuilder:
    now = _moment(now_ms)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + days * DAY)
    )


def _as_authority(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    *,
    path_length: int,
) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), True)
        .add_extension(_key_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_authority_key(issuer_key), critical=False)
    )


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_key(key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _issued_for(crl_url: str) -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(crl_url)],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(subject_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject_name)])


def _moment(time_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(time_ms // 1000, dt.UTC)
