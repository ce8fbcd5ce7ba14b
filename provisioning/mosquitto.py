"""The configuration of mosquitto for an installation with authorities. Pure.

Two listeners, both with TLS and a client certificate. On the gateways' the name in the certificate
is user name and client identifier, so that nobody can connect under another's; central has one of
its own, where only its authority is believed, because its workers share a name and have client
identifiers of their own. The revocation list of each listener is that of its one authority: a chain
of the other one has none and is refused.
"""

from dataclasses import dataclass
from typing import Literal

Version = Literal["2.0", "2.1"]
# A batch has up to 262144 bytes (BATCH_BYTES_MAX of the contract) and a header.
MESSAGE_BYTES_MAX = 300_000
# "none" takes back what an earlier file said: a second `log_dest file` would be one too many.
# What a gateway may not publish is of the type debug, which mosquitto sends to no topic.
HEARD = (
    "# Read by central: systemd/mosquitto.service.d/heard-by-dockledger.conf.",
    "log_dest none",
    "log_dest stderr",
    "log_dest syslog",
    "log_timestamp true",
    *(f"log_type {one}" for one in ("error", "warning", "notice", "information", "debug")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPlan:
    """What differs between installations. address "": every address of the machine.

    files: the folder that central writes. central_address: where central comes in.
    persistence_directory: "" where the file that includes ours says it (Debian's does), since
    mosquitto starts with no setting that is given twice. heard: everything that it does goes to its
    standard error, where central hears whom it refuses, and to the system's log.
    """

    files: str
    port: int = 8883
    address: str = ""
    central_port: int = 8884
    central_address: str = "127.0.0.1"
    pid_file: str = ""
    persistence_directory: str = ""
    user: str = ""
    connections_max: int = 1000
    heard: bool = False


def configuration(plan: BrokerPlan, *, version: Version) -> str:
    """Return the text of the file for a version of mosquitto."""
    lines = [
        "# Written by `dockledger-provision broker`; mosquitto.conf(5) explains every line.",
        "per_listener_settings false",
        "allow_anonymous false",
        *_access(plan, version),
        "set_tcp_nodelay true",
        "",
        "# Gateways.",
        f"listener {plan.port} {plan.address}".rstrip(),
        *_tls(plan, authority="ca.pem", revoked="crl.pem"),
        "use_username_as_clientid true",
        f"max_connections {plan.connections_max}",
        "",
        "# Central's processes.",
        f"listener {plan.central_port} {plan.central_address}".rstrip(),
        *_tls(plan, authority="ca-central.pem", revoked="crl-central.pem"),
        "max_connections 64",
        "",
        "persistence true",
        f"message_size_limit {MESSAGE_BYTES_MAX}",
        f"max_packet_size {MESSAGE_BYTES_MAX}",
        "max_inflight_messages 100",
        "max_queued_messages 2000",
        "max_queued_bytes 134217728",
    ]
    if plan.heard:
        lines += ["", *HEARD]
    if plan.persistence_directory:
        lines.append(f"persistence_location {plan.persistence_directory}")
    if plan.pid_file:
        lines.append(f"pid_file {plan.pid_file}")
    if plan.user:
        lines.append(f"user {plan.user}")
    return "\n".join(lines) + "\n"


def _access(plan: BrokerPlan, version: Version) -> list[str]:
    """2.1 has the access list as a plugin; its `acl_file` still works and is said to go."""
    if version == "2.0":
        return [f"acl_file {plan.files}/acl"]
    return [
        "plugin /usr/lib/mosquitto_acl_file.so",
        f"plugin_opt_acl_file {plan.files}/acl",
    ]


def _tls(plan: BrokerPlan, *, authority: str, revoked: str) -> list[str]:
    return [
        f"cafile {plan.files}/{authority}",
        f"certfile {plan.files}/broker.pem",
        f"keyfile {plan.files}/broker.key",
        f"crlfile {plan.files}/{revoked}",
        "require_certificate true",
        "use_identity_as_username true",
        "tls_version tlsv1.2",
    ]
