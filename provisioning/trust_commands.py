"""`dockledger-provision ca`, `broker`, `gateway-package`, `blank-package`. Root."""

import html
import json
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from central.contract.enrolment import SHOWN_PAGE
from provisioning.central_program import CentralFailed, ask_central
from provisioning.mosquitto import BrokerPlan, configuration
from provisioning.mosquitto_trial import TrialFailed, installed_version, try_configuration
from provisioning.nats import NATS_FILE, NatsPlan, nats_configuration
from provisioning.nats_trial import try_nats

CONFIG_FILE = Path("/etc/dockledger-central/central.toml")
NATS_STORE = "/var/lib/nats"
NO_NATS = "no nats-server is here to try it with."
FINDING, USAGE = 1, 2
KEY_BYTES_MAX = 16 * 1024
ConfigFile = Annotated[Path, typer.Option("--config", help="Central's configuration file.")]

ca_app = typer.Typer(help="The installation's own authorities.", no_args_is_help=True)


@ca_app.command("init")
def ca_init(
    name: Annotated[str, typer.Option(help="The installation's name, in its certificates.")],
    *,
    config: ConfigFile = CONFIG_FILE,
) -> None:
    """Make the root and the authorities of gateways and servers."""
    with failures_named():
        made = ask_central("trust", "init", "--name", name, config=config)
    typer.echo(
        f"The authorities are in {made['directory']}.\n"
        f"Now carry {made['directory']}/offline/root.key to a safe place and delete it here."
    )


@ca_app.command("status")
def ca_status(*, config: ConfigFile = CONFIG_FILE) -> None:
    """Say until when everything is good. Exit code 1 if somebody has to see to something."""
    with failures_named():
        status = ask_central("trust", "status", config=config, findings=True)
    for key, value in status.items():
        if key != "findings":
            typer.echo(f"{key.replace('_', ' ')}: {value}")
    for finding in status["findings"]:
        typer.echo(f"see to it: {finding}")
    raise typer.Exit(FINDING if status["findings"] else 0)


def broker(
    host: Annotated[list[str], typer.Option(help="A name or address of the broker; several.")],
    to: Annotated[Path, typer.Option(help="The broker's configuration file to write.")],
    *,
    config: ConfigFile = CONFIG_FILE,
    kind: Annotated[
        Literal["mosquitto", "nats"], typer.Option(help="nats: servers of a cluster, MQTT 3.1.1.")
    ] = "mosquitto",
    name: Annotated[str, typer.Option(help="Of this NATS server.")] = "dockledger-1",
    cluster_address: Annotated[
        str, typer.Option(help="Of this server in a network that only the NATS servers have.")
    ] = "127.0.0.1",
    route: Annotated[
        list[str] | None, typer.Option(help="HOST:PORT of each NATS server of the cluster.")
    ] = None,
    port: Annotated[int, typer.Option(help="For gateways.")] = 8883,
    central_port: Annotated[int, typer.Option(help="For central.")] = 8884,
    central_address: Annotated[
        str, typer.Option(help="Where central comes in: 127.0.0.1 if it is on this machine.")
    ] = "127.0.0.1",
    pid_file: Annotated[str, typer.Option(help="Where mosquitto writes its number.")] = "",
    persistence: Annotated[
        str, typer.Option(help="Where it keeps its data, if its own file does not say so.")
    ] = "",
    version: Annotated[
        Literal["2.0", "2.1"] | None, typer.Option(help="Of mosquitto; asked of it if not given.")
    ] = None,
) -> None:
    """Write certificates, access list, revocation list and the broker's configuration; try them."""
    with failures_named():
        hosts = [word for one in host for word in ("--host", one)]
        files = ask_central("trust", "broker-files", *hosts, config=config)["directory"]
        if kind == "nats":
            nats = NatsPlan(
                files=files,
                users=os.path.relpath(f"{files}/{NATS_FILE}", to.absolute().parent),
                name=name,
                store_directory=persistence or NATS_STORE,
                port=port,
                routes=tuple(route or ()),
                cluster_address=cluster_address,
                pid_file=pid_file,
            )
            _write_nats(to, nats)
            return
        found = installed_version()
        plan = BrokerPlan(
            files=files,
            port=port,
            central_port=central_port,
            central_address=central_address,
            pid_file=pid_file,
            persistence_directory=persistence,
        )
        text = configuration(plan, version=version or found or "2.0")
        if found is not None:
            try_configuration(plan, version=version or found)
        to.write_text(text, encoding="utf-8")
    tried = "mosquitto was started with it" if found else "no mosquitto is here to try it with"
    typer.echo(f"Written: {to}; {tried}.")


def _write_nats(to: Path, plan: NatsPlan) -> None:
    to.write_text(nats_configuration(plan), encoding="utf-8")
    tried = try_nats(to)
    typer.echo(f"Written: {to}; " + ("nats-server takes it." if tried else NO_NATS))


def gateway_package(
    gateway: Annotated[str, typer.Argument(help="The gateway's code, e.g. sh1-dock-2.")],
    warehouse: Annotated[str, typer.Option(help="The warehouse that it will speak for.")],
    receive_location: Annotated[str, typer.Option(help="Where received goods go, e.g. DOCK-1.")],
    to: Annotated[Path, typer.Option(help="The folder to write.")],
    *,
    central_url: Annotated[str, typer.Option(help="https://... of central.")] = "",
    broker_host: Annotated[str, typer.Option(help="Name or address of the broker.")] = "",
    hours: Annotated[int, typer.Option(help="How long the claim is good.")] = 72,
    updates: Annotated[
        str, typer.Option(help="Where it finds releases: https://... or a folder.")
    ] = "",
    update_key: Annotated[
        Path | None, typer.Option(help="The public key that signs releases: FILE.pub.")
    ] = None,
    ring: Annotated[str, typer.Option(help="The group that it is updated with.")] = "rest",
    config: ConfigFile = CONFIG_FILE,
) -> None:
    """Write what a Pi needs to become a gateway by itself: files, and a sheet to print."""
    with failures_named():
        signs = _update_key(updates, update_key)
        made = ask_central(
            *("trust", "claim", gateway, "--warehouse", warehouse, "--hours", str(hours)),
            config=config,
        )
        url, broker_at = _addresses(made, central_url=central_url, broker_host=broker_host)
        to.mkdir(parents=True, exist_ok=True)
        _write(to / "dockledger-enrol.toml", enrol_file(made, central_url=url), private=True)
        _write(
            to / "gateway.toml",
            gateway_file(
                made, central_url=url, broker_host=broker_at, receive_location=receive_location
            ),
        )
        _write(to / "claim.html", claim_sheet(made), private=True)
        if signs:
            _write(to / "update.toml", update_file(source=updates, ring=ring))
            _write(to / "update.pub", signs)
    typer.echo(f"Written: {to}. The claim is good until {made['expires_at']}.")


def blank_package(
    to: Annotated[Path, typer.Option(help="The folder to write.")],
    *,
    central_url: Annotated[str, typer.Option(help="https://... of central.")] = "",
    broker_host: Annotated[str, typer.Option(help="Name or address of the broker.")] = "",
    language: Annotated[Literal["en", "zh"], typer.Option(help="Of its screen.")] = "en",
    config: ConfigFile = CONFIG_FILE,
) -> None:
    """Write what any Pi needs to show a code, by which staff let it in: one folder for many."""
    with failures_named():
        made = ask_central("trust", "card", config=config)
        url, broker_at = _addresses(made, central_url=central_url, broker_host=broker_host)
        made |= {"gateway": "", "warehouse": "", "claim": ""}
        to.mkdir(parents=True, exist_ok=True)
        _write(to / "dockledger-enrol.toml", enrol_file(made, central_url=url))
        text = gateway_file(made, central_url=url, broker_host=broker_at, receive_location="")
        named = f'data_directory = "/var/lib/dockledger-gateway"\nlanguage = "{language}"\n'
        text = text.replace('data_directory = "/var/lib/dockledger-gateway"\n', named)
        _write(to / "gateway.toml", text)
    typer.echo(f"Written: {to}. A Pi with it shows a code: type it at {url}{SHOWN_PAGE}.")


def enrol_file(made: dict[str, Any], *, central_url: str) -> str:
    """Return `dockledger-enrol.toml`: where central is, whom to believe, the claim."""
    told = "# Says where central is. A Pi with it shows a code, and is nobody until it is let in.\n"
    if made["claim"]:
        told = f"# Makes one Pi {made['gateway']}; good once, until {made['expires_at']}.\n"
    text = (
        f'{told}central_url = "{central_url}"\nclaim = "{made["claim"]}"\n'
        f'root_pem = """\n{made["root_pem"]}"""\n'
    )
    tomllib.loads(text)
    return text


def gateway_file(
    made: dict[str, Any], *, central_url: str, broker_host: str, receive_location: str
) -> str:
    """Return `gateway.toml`, to be put beside the enrolment file."""
    text = f"""# See gateway.example.toml for every key.
[gateway]
code = "{made["gateway"]}"
site = "{made["site"]}"
warehouse = "{made["warehouse"]}"
data_directory = "/var/lib/dockledger-gateway"

[station]
code = "{made["gateway"]}"
receive_location = "{receive_location}"

[mqtt]
host = "{broker_host}"
port = {made["broker_port"]}

[central]
url = "{central_url}"

[identity]
enrol_file = "/etc/dockledger-gateway/dockledger-enrol.toml"

[ledger]
public_key = "{made["ledger_public_key"]}"
"""
    tomllib.loads(text)
    return text


def update_file(*, source: str, ring: str) -> str:
    """Return `update.toml`, to be put beside the others."""
    return (
        "# See /usr/share/doc/dockledger-gateway/UPDATING.md for every key.\n"
        f"source = {json.dumps(source, ensure_ascii=False)}\n"
        'key_file = "/etc/dockledger-gateway/update.pub"\n'
        f"ring = {json.dumps(ring, ensure_ascii=False)}\n"
    )


def claim_sheet(made: dict[str, Any]) -> str:
    """Return a page to print: the code for hand and scanner, for one gateway."""
    svg = made["qr_svg"][made["qr_svg"].index("<svg") :]
    words = {key: html.escape(str(made[key])) for key in ("gateway", "warehouse", "claim")}
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Claim {words['gateway']}</title>"
        f"<h1>{words['gateway']}</h1><p>Warehouse {words['warehouse']}</p>{svg}"
        f'<p style="font:2rem monospace">{words["claim"]}</p>'
        f"<p>Good once, until {html.escape(made['expires_at'])}. Scan it at the station, or type "
        "it on its page.</p></html>\n"
    )


def _addresses(made: dict[str, Any], *, central_url: str, broker_host: str) -> tuple[str, str]:
    """Return where central and the broker are. Raises CentralFailed if nobody says so."""
    url, broker_at = central_url or made["central_url"], broker_host or made["broker_host"]
    if not url.startswith("https://") or not broker_at:
        raise CentralFailed(
            "nobody says where central and broker are",
            hint="Give --central-url https://... and --broker-host, or write both in [trust].",
            status=USAGE,
        )
    return url, broker_at


def _update_key(updates: str, key: Path | None) -> str:
    """Return the public key of releases, "" where no updates are wanted. Raises CentralFailed."""
    if bool(updates) != (key is not None):
        raise CentralFailed(
            "updates need a source and a key",
            hint="Give both --updates and --update-key, or neither.",
            status=USAGE,
        )
    if key is None:
        return ""
    with key.open("rb") as file:
        data = file.read(KEY_BYTES_MAX)
    if not data.startswith(b"-----BEGIN PUBLIC KEY-----"):
        raise CentralFailed(
            f"{key} is no public key",
            hint="Name the FILE.pub that `dockledger-provision release new-key FILE` wrote.",
            status=USAGE,
        )
    return data.decode("ascii", "replace")


def _write(path: Path, text: str, *, private: bool = False) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600 if private else 0o644)
    path.write_text(text, encoding="utf-8")


@contextmanager
def failures_named() -> Iterator[None]:
    try:
        yield
    except (CentralFailed, TrialFailed) as error:
        typer.echo(f"error: {error}\nhint: {error.hint}", err=True)
        raise typer.Exit(USAGE) from error
    except OSError as error:
        typer.echo(f"error: {error}\nhint: Name a place that may be written.", err=True)
        raise typer.Exit(USAGE) from error
