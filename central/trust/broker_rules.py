"""The broker's access list: who may publish and read which topics. Pure.

mosquitto.conf(5), acl_file. %u is the name in the client's certificate. A pattern applies to
everybody, so what central alone may do stands under its name. The shard is a wildcard: a batch in
a shard that is not its gateway's is refused by the ledger.
"""

from collections.abc import Iterable

from central.contract.identifiers import parse_code
from central.contract.topics import PREFIX, Channel, central_subscription, subscription

UPLINK: tuple[Channel, ...] = ("up", "state", "down-ack", "digests")
DOWNLINK: tuple[Channel, ...] = ("ack", "down")
CENTRAL = "central"  # Its name in its certificate; no gateway can have it.


def access_list(*, site: str, revoked: Iterable[str]) -> str:
    """Return the access list of a site. revoked: gateways that may do nothing at all any more."""
    workers = central_subscription(site=site)
    own = f"{PREFIX}/{site}/+/%u"
    lines = [
        "# Written by dockledger-central: a change here is lost.",
        f"user {CENTRAL}",
        *(f"topic read {subscription(site=site, channel=one)}" for one in UPLINK),
        *(f"topic write {subscription(site=site, channel=one)}" for one in DOWNLINK),
        f"topic write {workers}",
        "topic read $SYS/broker/#",
        "",
        *(f"pattern write {own}/{one}" for one in UPLINK),
        *(f"pattern read {own}/{one}" for one in DOWNLINK),
        f"pattern read {workers}",
    ]
    for gateway in sorted(set(revoked)):
        lines += ["", f"user {parse_code(gateway, what='gateway')}", "topic deny #"]
    return "\n".join(lines) + "\n"


def is_reserved(gateway: str) -> bool:
    """Return whether a code could be mistaken for central at the broker."""
    return gateway.casefold().startswith(CENTRAL)
