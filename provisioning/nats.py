"""The configuration of a NATS server as the broker of an installation with authorities. Pure.

One listener of MQTT 3.1.1 with TLS; the name in the client's certificate is the user
(docs.nats.io, "TLS authentication", `verify_and_map`), what it may do stands in the file that
central writes. Every server of a cluster gets the same, with its own name and address. Whoever
reaches a server where the others come in is one of them: that address is given, never all of them.
"""

from dataclasses import dataclass

NATS_FILE = "nats-users.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsPlan:
    """What differs between servers. address "": every address of the machine.

    files: the folder that central writes, or a copy of it. users: NATS_FILE in it, as it is found
    from the folder of the configuration: what NATS includes is relative to that. routes:
    "host:port" of all servers of the cluster, none for a single server. cluster_address: of this
    server in a network that only they have. pid_file: "" for none.
    """

    files: str
    users: str
    name: str
    store_directory: str
    port: int = 8883
    address: str = ""
    client_port: int = 4222
    cluster_port: int = 6222
    routes: tuple[str, ...] = ()
    cluster_address: str = "127.0.0.1"
    pid_file: str = ""


def nats_configuration(plan: NatsPlan) -> str:
    """Return the text of the server's configuration file."""
    address = plan.address or "0.0.0.0"  # noqa: S104 - that is what it means
    lines = [
        "# Written by `dockledger-provision broker --kind nats`; docs.nats.io explains every line.",
        f'server_name: "{plan.name}"',
        "# For nobody: every user is one of MQTT.",
        f'listen: "127.0.0.1:{plan.client_port}"',
        f'jetstream {{ store_dir: "{plan.store_directory}" }}',
        *([f'pid_file: "{plan.pid_file}"'] if plan.pid_file else []),
        "",
        "mqtt {",
        f'  listen: "{address}:{plan.port}"',
        f"  stream_replicas: {min(max(len(plan.routes), 1), 3)}",
        "  tls {",
        f'    cert_file: "{plan.files}/broker.pem"',
        f'    key_file: "{plan.files}/broker.key"',
        f'    ca_file: "{plan.files}/root.pem"',
        "    verify_and_map: true",
        "    timeout: 10",
        "  }",
        "}",
        "",
    ]
    if plan.routes:
        routes = ", ".join(f'"nats://{one}"' for one in plan.routes)
        lines += [
            "# Between the servers alone: whoever reaches this may say and hear everything.",
            f'cluster {{ name: "dockledger", listen: "{plan.cluster_address}:{plan.cluster_port}",'
            f" routes: [{routes}] }}",
            "",
        ]
    lines += ["# Who may do what. Told anew by SIGHUP.", f'include "{plan.users}"', ""]
    return "\n".join(lines)
