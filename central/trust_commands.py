"""The commands `dockledger-central trust ...`: authorities, broker files, claims, revocation. Root.

`dockledger-provision` calls them: what holds a private key of an authority is made here and is
never read by anything else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from central.clock import SystemClock
from central.command_line import CONFIG_FILE as CONFIG
from central.command_line import FINDING, AsJson, ConfigFile, errors_named, opened, say
from central.config import Config, load_config
from central.errors import ConfigInvalid
from central.printing.bar_codes import draw_qr
from central.stock.times import utc_text
from central.trust import registry
from central.trust.authority import issue_server, key_pem, new_key, pem_of
from central.trust.authority_files import (
    has_root_key,
    load_authorities,
    make_authorities,
    write_file,
)
from central.trust.building import broker_files, build_trust, trust_directory
from central.trust.claiming import CLAIM_HOURS
from central.trust.registry import Reason
from central.trust.trust import Trust

SOON_MS = 20 * registry.DAY_MS
CRL_SOON_MS = 3 * registry.DAY_MS
MADE_BY = "console"

trust_app = typer.Typer(
    help="Who is who: authorities, the broker's files, claims, certificates.", no_args_is_help=True
)


@trust_app.command("init")
def init(
    name: Annotated[str, typer.Option(help="The installation's name, in its certificates.")],
    *,
    config: ConfigFile = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Make root and issuing authorities; then carry offline/root.key away."""
    with errors_named():
        directory = trust_directory(load_config(config, before_certificates=True))
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_authorities(directory, name=name, now_ms=SystemClock().now_ms())
    text = (
        f"The authorities are in {directory}. Carry offline/root.key to a safe place and delete it"
        " here: nothing needs it until an issuing authority has to be replaced."
    )
    say(text, {"directory": str(directory)}, as_json=as_json)


@trust_app.command("status")
def status(*, config: ConfigFile = CONFIG, as_json: AsJson = False) -> None:
    """Say what is there and until when. Exit code 1 if somebody has to see to something."""
    now_ms = SystemClock().now_ms()
    with errors_named():
        settings = load_config(config)
        directory = trust_directory(settings)
        authorities = load_authorities(directory)
        until_ms = broker_files(settings).good_until_ms(authorities, now_ms=now_ms)
        with _trust(settings) as trust, trust.database.read() as connection:
            rows = registry.newest_certificates(connection)
    alive = [row for row in rows if not row.revoked_ms]
    soon = [row.gateway for row in alive if row.expires_ms - now_ms < SOON_MS]
    findings = [f"the certificate of {gateway} ends within 20 days" for gateway in soon]
    if until_ms - now_ms < CRL_SOON_MS:
        findings.append("the revocation list ends within 72 hours: new connections will be refused")
    if has_root_key(directory):
        findings.append("the root's private key lies here: carry it away")
    result = {
        "directory": str(directory),
        "revocation_list_until": utc_text(until_ms) if until_ms else None,
        "certificates": len(alive),
        "revoked": len(rows) - len(alive),
        "findings": findings,
    }
    text = [f"{key}: {value}" for key, value in result.items() if key != "findings"]
    say("\n".join([*text, *findings]), result, as_json=as_json)
    raise typer.Exit(FINDING if findings else 0)


@trust_app.command("broker-files")
def broker_files_command(
    host: Annotated[list[str], typer.Option(help="A name or address of the broker; several.")],
    *,
    config: ConfigFile = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write the broker's certificate, central's, whom it believes, its lists. Keys are new."""
    with errors_named():
        settings = load_config(config, before_certificates=True)
        files = broker_files(settings)
        authorities = load_authorities(trust_directory(settings))
        now_ms = SystemClock().now_ms()
        files.write_certificates(authorities, hosts=host, now_ms=now_ms)
        with _trust(settings) as trust:
            trust.write_rules()
    say(
        f"The broker's files are in {files.directory}.",
        {"directory": str(files.directory)},
        as_json=as_json,
    )


@trust_app.command("server-certificate")
def server_certificate(
    host: Annotated[list[str], typer.Option(help="A name or address of the server; several.")],
    to: Annotated[Path, typer.Option(help="The folder for NAME.pem and NAME.key.")],
    name: Annotated[str, typer.Option(help="What the files are called.")] = "central-http",
    *,
    config: ConfigFile = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Issue a certificate for central's pages, or another server, with a new key."""
    with errors_named():
        settings = load_config(config, before_certificates=True)
        authorities = load_authorities(trust_directory(settings))
        key = new_key()
        certificate = issue_server(
            authorities.servers,
            key.public_key(),
            host,
            now_ms=SystemClock().now_ms(),
            crl_url="",
        )
        try:
            to.mkdir(parents=True, exist_ok=True)
            write_file(to / f"{name}.key", key_pem(key), private=True)
            write_file(to / f"{name}.pem", pem_of(certificate) + authorities.servers.pem)
        except OSError as error:
            raise ConfigInvalid(
                f"{to} cannot be written: {error.strerror}", hint="Name another folder."
            ) from error
    say(f"Written: {to / name}.pem", {"certificate": f"{to / name}.pem"}, as_json=as_json)


@trust_app.command("claim")
def claim(
    gateway: Annotated[str, typer.Argument(help="The gateway's code, e.g. sh1-dock-2.")],
    warehouse: Annotated[str, typer.Option(help="The warehouse that it will speak for.")],
    hours: Annotated[int, typer.Option(help="How long the claim is good.")] = CLAIM_HOURS,
    *,
    config: ConfigFile = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Make a one-time claim: the code by which a Pi becomes this gateway. It is shown once."""
    with errors_named(), _trust(load_config(config)) as trust:
        made = trust.make_claim(gateway=gateway, warehouse=warehouse, by=MADE_BY, hours=hours)
        result = {
            "claim": made.code.text,
            "gateway": gateway,
            "warehouse": warehouse,
            "expires_at": utc_text(made.row.expires_ms),
            "qr_svg": draw_qr(made.code.text).svg,
        } | _reached(trust)
    say(f"{made.code.text}\ngood until {result['expires_at']}", result, as_json=as_json)


@trust_app.command("card")
def card(*, config: ConfigFile = CONFIG, as_json: AsJson = False) -> None:
    """Say what a card needs that makes nobody a gateway yet: where we are, whom to believe."""
    with errors_named(), _trust(load_config(config)) as trust:
        result = _reached(trust)
    say(f"{result['central_url']}\n{result['root_pem']}", result, as_json=as_json)


@trust_app.command("revoke")
def revoke(
    gateway: Annotated[str, typer.Argument(help="The gateway's code.")],
    reason: Annotated[Reason, typer.Option(help="Why.")],
    *,
    config: ConfigFile = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let a gateway do nothing any more, at once."""
    with errors_named(), _trust(load_config(config)) as trust:
        count = trust.revoke(gateway, reason=reason, by=MADE_BY)
    result = {"gateway": gateway, "revoked": count}
    say(f"{count} certificates of {gateway} are revoked.", result, as_json=as_json)


def _reached(trust: Trust) -> dict[str, str | int]:
    """Return where gateways reach us, and whom they are to believe."""
    return {
        "site": trust.site,
        "central_url": trust.public_url,
        "broker_host": trust.broker_host,
        "broker_port": trust.broker_port,
        "root_pem": trust.authorities.root_pem,
        "ledger_public_key": trust.ledger_key(),
    }


@contextmanager
def _trust(config: Config) -> Iterator[Trust]:
    trust_directory(config)
    with opened(config) as database:
        trust = build_trust(config, database)
        assert trust is not None
        yield trust
