"""Tables of claims, certificates and suspicious events; `tables` has them. Edge of SQLAlchemy.

A claim turns one Pi into one gateway. Of its secret the digest is kept alone.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from central.storage.metadata import metadata

# name: the first characters of the code. role: what it makes, "gateway". wrong_count: secrets that
# were tried in vain. spki, signing_key: of whom it was redeemed by, empty before; certificate: the
# serial that he got. used_ms, withdrawn_ms: 0 if not. hardware: what the Pi says it is.
claims = Table(
    "claims",
    metadata,
    Column("name", Text, primary_key=True),
    Column("secret_digest", LargeBinary, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("wrong_count", BigInteger, nullable=False),
    Column("withdrawn_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("signing_key", LargeBinary, nullable=False),
    Column("certificate", Text, nullable=False),
    Column("hardware", Text, nullable=False),
    Index("claims_gateway", "gateway"),
    sqlite_with_rowid=False,
)

# serial: hexadecimal. how: "claim" or "renewal". signing_key: of the journal, when it was issued.
# replaced_ms: when a newer one was issued to the same Pi; it is revoked a day later. reason: why it
# was revoked, "" if it is not. last_epoch, last_seq: how far the ledger had the gateway then.
certificates = Table(
    "certificates",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("pem", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("signing_key", LargeBinary, nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("replaced_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("revoked_by", Text, nullable=False),
    Column("last_epoch", Text, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Index("certificates_gateway", "gateway", "issued_ms"),
    sqlite_with_rowid=False,
)

# What was tried and refused, or done, for alerts and for whoever looks into it. kind: a word of
# `central.trust.events`. subject: a gateway or the name of a claim. address: of the caller. event:
# the time with a random end, so that they sort as they happened.
trust_events = Table(
    "trust_events",
    metadata,
    Column("event", Text, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("address", Text, nullable=False),
    Index("trust_events_kind", "kind", "at_ms"),
    sqlite_with_rowid=False,
)

# Machines that show a code and ask to be let in. Of code and secret the digests are kept alone.
# csr, spki, signing_key: the keys that it has proven to have. hardware, gateway: what it says of
# itself. network: as what its address counts. interval_s: between two questions; polled_ms: of the
# last one. state: "waiting", "approved" or "denied"; claim: the name of the claim that an approval
# has made; receive_location: what whoever approved said of it.
newcomers = Table(
    "newcomers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("code_digest", LargeBinary, nullable=False),
    Column("secret_digest", LargeBinary, nullable=False),
    Column("csr", Text, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("signing_key", LargeBinary, nullable=False),
    Column("hardware", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("network", Text, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("interval_s", BigInteger, nullable=False),
    Column("polled_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_ms", BigInteger, nullable=False),
    Column("claim", Text, nullable=False),
    Column("receive_location", Text, nullable=False),
    Index("newcomers_code", "code_digest", unique=True),
    Index("newcomers_secret", "secret_digest", unique=True),
    sqlite_with_rowid=False,
)
