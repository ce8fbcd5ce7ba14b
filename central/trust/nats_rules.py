"""Who may publish and read what at a cluster of NATS servers that speaks MQTT. Pure.

docs.nats.io: "Authorization", "MQTT configuration", "TLS authentication". A user is the name in a
certificate (`verify_and_map` knows it as "CN=..."), with the subjects of its topics: what is not
allowed is refused. "/" of a topic is "." of a subject, "." in a code is "//", "+" is "*".

    dl/1/demo/17/gw.a/up        dl.1.demo.17.gw//a.up

Unlike mosquitto there are no patterns and no revocation lists: every gateway that has a good
certificate stands here, one that is revoked does not, and the servers are told each time.
"""

from collections.abc import Iterable

from central.contract.identifiers import parse_code
from central.contract.topics import GatewayTopic, central_subscription, subscription
from central.trust.broker_rules import CENTRAL, DOWNLINK, UPLINK

# Where a server delivers what a session subscribed to with QoS 1. It grants no client anything:
# the servers refuse subscriptions of MQTT clients below it.
DELIVERY = "$MQTT.sub.>"


def user_list(*, site: str, gateways: Iterable[str]) -> str:
    """Return the authorization block of a site, to be included by the servers' configuration.

    gateways: all that have a certificate which is not revoked.
    """
    workers = central_subscription(site=site)
    lines = [
        "# Written by dockledger-central: a change here is lost.",
        "authorization {",
        "  timeout: 10",
        "  users: [",
        _user(
            CENTRAL,
            publish=[*(subscription(site=site, channel=one) for one in DOWNLINK), workers],
            subscribe=[*(subscription(site=site, channel=one) for one in UPLINK), workers],
        ),
    ]
    for gateway in sorted(set(gateways)):
        code = parse_code(gateway, what="gateway")
        lines.append(
            _user(
                code,
                publish=[str(GatewayTopic(site, code, one)) for one in UPLINK],
                subscribe=[*(str(GatewayTopic(site, code, one)) for one in DOWNLINK), workers],
            )
        )
    return "\n".join([*lines, "  ]", "}"]) + "\n"


def subject_of(topic: str) -> str:
    """Return the subject of a topic or filter of ours."""
    levels = topic.split("/")
    return ".".join("*" if one == "+" else one.replace(".", "//") for one in levels)


def _user(name: str, *, publish: list[str], subscribe: list[str]) -> str:
    writes = ", ".join(f'"{subject_of(one)}"' for one in publish)
    reads = ", ".join(f'"{one}"' for one in [*map(subject_of, subscribe), DELIVERY])
    return (
        f'    {{user: "CN={name}", allowed_connection_types: ["MQTT"], permissions: '
        f"{{publish: {{allow: [{writes}]}}, subscribe: {{allow: [{reads}]}}}}}}"
    )
