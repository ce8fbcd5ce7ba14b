"""The section [access] of the configuration: how people come in. Edge of the file."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from central.errors import ConfigInvalid

SECRET_BYTES_MAX = 4 * 1024
LOOPBACK_NAMES = frozenset({"localhost"})

Text = Annotated[str, msgspec.Meta(max_length=1024)]
Hours = Annotated[int, msgspec.Meta(ge=1, le=7 * 24)]


class OidcSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The identity provider; with an issuer, people may come in through it.

    issuer: its URL, where /.well-known/openid-configuration is below. client_secret: after reading,
    also if it came from `client_secret_file`. redirect_url: of /login/oidc/back as browsers see it.
    groups_claim: the claim that lists somebody's groups. roles: by group, e.g. "keeper@SH1".
    label: how people call it.
    """

    issuer: Text = ""
    client_id: Text = ""
    client_secret: Text = ""
    client_secret_file: Text = ""
    redirect_url: Text = ""
    groups_claim: Text = "groups"
    roles: dict[str, str] = {}
    label: Text = "SSO"


class AccessSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """mode: "people" have to sign in; "open" takes whoever reaches the address for the
    administrator, and is refused on any address but a loopback one.

    idle_hours, absolute_hours: a session ends so long after its last, and after its first request.
    second_factor: "administrators" have to set one up before they can do anything else.
    sealing_key_file: of the key that seals secrets of second factors, "" for none; read by `serve`.
    """

    mode: Literal["people", "open"] = "people"
    idle_hours: Hours = 2
    absolute_hours: Hours = 12
    second_factor: Literal["optional", "administrators"] = "optional"
    sealing_key_file: Text = ""
    oidc: OidcSection = OidcSection()


def checked_access(file: Path, section: AccessSection, *, http_host: str) -> AccessSection:
    """Return the section with its secret read. file: of the configuration. Raises ConfigInvalid."""
    if section.mode == "open" and not is_loopback(http_host):
        raise ConfigInvalid(
            f'{file}: access.mode = "open" makes whoever reaches {http_host} the administrator',
            hint='Set mode = "people", or host = "127.0.0.1" under [http].',
        )
    if section.sealing_key_file:
        sealing_key_file = str(file.parent.absolute() / section.sealing_key_file)
        section = msgspec.structs.replace(section, sealing_key_file=sealing_key_file)
    oidc = section.oidc
    if oidc.issuer and not (oidc.client_id and oidc.redirect_url):
        raise ConfigInvalid(
            f"{file}: access.oidc has an issuer but no client_id or no redirect_url",
            hint="Copy both from the identity provider; redirect_url ends with /login/oidc/back.",
        )
    address = urlsplit(oidc.issuer)
    if oidc.issuer and address.scheme != "https" and not is_loopback(address.hostname or ""):
        raise ConfigInvalid(
            f"{file}: access.oidc.issuer is not https: whoever is on the way could sign in as"
            " anybody",
            hint="Give the issuer as https://..., exactly as the identity provider names itself.",
        )
    if not oidc.client_secret_file:
        return section
    try:
        data = (file.parent / oidc.client_secret_file).read_bytes()[: SECRET_BYTES_MAX + 1]
        secret = data.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(
            f"{file}: access.oidc.client_secret_file: {error}",
            hint="Name an existing text file that this user may read.",
        ) from error
    changed = msgspec.structs.replace(oidc, client_secret=secret)
    return msgspec.structs.replace(section, oidc=changed)


def is_loopback(host: str) -> bool:
    """Return whether a name or an address is this machine's own, of no network."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host in LOOPBACK_NAMES
