"""Sections of the configuration about backups, alerts and mail. Pure."""

from typing import Annotated, Literal

import msgspec

from central.contract.backup_files import RECIPIENTS_MAX

PLACES_MAX = 8
MAIL_RECIPIENTS_MAX = 50
KEPT_COUNT_MAX = 1000

Folder = Annotated[str, msgspec.Meta(pattern=r"^/[^\x00]{0,1000}\Z")]
KeyHex = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
KeptCount = Annotated[int, msgspec.Meta(ge=1, le=KEPT_COUNT_MAX)]
# RFC 5321 allows more; nothing that could begin another header or another command.
MailAddress = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9.-]{1,190}\Z")
]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class BackupSection(_Section, frozen=True, kw_only=True):
    """recipients: public keys of whoever may read backups. places: folders, each on its own medium.

    daily, weekly, monthly: of how many days, weeks and months the newest is kept in each place.
    postgresql_binaries: folder of pg_dump, pg_restore and pg_basebackup; "" looks for them.
    """

    recipients: Annotated[tuple[KeyHex, ...], msgspec.Meta(max_length=RECIPIENTS_MAX)] = ()
    places: Annotated[tuple[Folder, ...], msgspec.Meta(max_length=PLACES_MAX)] = ()
    daily: KeptCount = 7
    weekly: KeptCount = 5
    monthly: KeptCount = 12
    postgresql_binaries: str = ""


class MailSection(_Section, frozen=True, kw_only=True):
    """The server that letters go to; without a host none are written.

    tls: "starttls" on port 587, "tls" on port 465, or "none" on the same machine alone.
    password: after reading, also if it came from `password_file`. tls_ca_file: certificates that
    the server's must come from; "" for those of the machine.
    """

    host: Annotated[str, msgspec.Meta(max_length=253)] = ""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    tls_ca_file: str = ""
    username: str = ""
    password: str = ""
    password_file: str = ""
    sender: MailAddress = "dockledger@localhost.localdomain"

    def __repr__(self) -> str:
        """Return it without the password."""
        return f"MailSection(host={self.host!r}, port={self.port}, username={self.username!r})"


class AlertRecipient(_Section, frozen=True, kw_only=True):
    """Who gets letters. at_once: what is told within a minute; the rest stands in the digest.

    digest: when everything that is there is told again, at the same hour (UTC) each day.
    warehouses: only alerts of these and of none; empty for all.
    """

    address: MailAddress
    language: Literal["en", "zh"] = "en"
    at_once: Literal["bad", "all", "none"] = "bad"
    digest: Literal["daily", "none"] = "daily"
    digest_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 6
    warehouses: tuple[str, ...] = ()


class AlertsSection(_Section, frozen=True, kw_only=True):
    """recipients: of letters. url: how pages are reached from outside, for links; "" for none.

    repeat_hours: after so many hours an alert that is still there is told again.
    """

    recipients: Annotated[
        tuple[AlertRecipient, ...], msgspec.Meta(max_length=MAIL_RECIPIENTS_MAX)
    ] = ()
    url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s?#]{1,200}[^\s?#/])?\Z")] = ""
    repeat_hours: Annotated[int, msgspec.Meta(ge=1, le=720)] = 24
